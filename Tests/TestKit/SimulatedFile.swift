import Platform
import Records

/// An open file of a simulated disk.
final class SimulatedFile: File {
  let path: String
  private let disk: SimulatedDisk
  private let inode: Inode
  private let isWritable: Bool

  init(disk: SimulatedDisk, inode: Inode, path: String, isWritable: Bool) {
    self.disk = disk
    self.inode = inode
    self.path = path
    self.isWritable = isWritable
  }

  func size() throws(DiskError) -> Int {
    try access(.size) { _, fault throws(DiskError) in
      if let fault { throw SimulatedDiskState.error(fault, .measure, self.path) }
      return self.inode.size
    }
  }

  func write(_ bytes: Span<UInt8>, at offset: Int) throws(DiskError) {
    let isWritable = isWritable
    try access(.write, detail: " \(offset)+\(bytes.count)") { state, fault throws(DiskError) in
      guard isWritable, offset >= 0 else {
        throw .failed(operation: .write, path: self.path, offsetBytes: offset, code: 9)
      }
      let room = max(0, state.quotaBytes - state.usedBytes)
      let growth = max(0, offset + bytes.count - self.inode.size)
      if let fault, fault == .error { throw SimulatedDiskState.error(fault, .write, self.path) }
      guard fault == nil, growth <= room else {
        // Some of the bytes get there: any number that fits.
        let fits = growth <= room ? bytes.count : max(0, bytes.count - (growth - room))
        let part = Int.random(in: 0...fits, using: &state.generator)
        state.write(bytes.extracting(0..<part), to: self.inode, at: offset)
        throw SimulatedDiskState.error(growth > room ? .full : fault ?? .full, .write, self.path)
      }
      state.write(bytes, to: self.inode, at: offset)
    }
  }

  func read(at offset: Int, count: Int) throws(DiskError) -> [UInt8] {
    try access(.read, detail: " \(offset)+\(count)") { _, fault throws(DiskError) in
      if let fault { throw SimulatedDiskState.error(fault, .read, self.path) }
      guard offset >= 0, count >= 0, offset + count <= self.inode.size else {
        throw .failed(operation: .read, path: self.path, offsetBytes: offset, code: 5)
      }
      return self.inode.memory.read(offset..<offset + count)
    }
  }

  func sync() throws(DiskError) {
    let outcome: DiskError? = try access(.sync) { state, fault throws(DiskError) in
      state.sync(self.inode, forgetting: fault != nil)
      return fault.map { SimulatedDiskState.error($0, .sync, self.path) }
    }
    if let outcome { throw outcome }
  }

  func map(_ range: Range<Int>) throws(DiskError) -> Buffer {
    try access(.map, detail: " \(range.lowerBound)+\(range.count)") { _, fault throws(DiskError) in
      if let fault { throw SimulatedDiskState.error(fault, .map, self.path) }
      if range.isEmpty { return .empty }
      guard range.lowerBound >= 0, range.upperBound <= self.inode.size else {
        throw .failed(operation: .map, path: self.path, offsetBytes: range.lowerBound, code: 22)
      }
      return self.inode.memory.buffer(range)
    }
  }

  private func access<Value>(
    _ kind: SimulatedDisk.Operation, detail: String = "",
    _ body: (inout SimulatedDiskState, SimulatedDisk.Fault?) throws(DiskError) -> Value
  ) throws(DiskError) -> Value {
    try disk.accessOrFault(kind, path, detail: detail) { state, _, fault throws(DiskError) in
      try body(&state, fault)
    }
  }
}
