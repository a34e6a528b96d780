import Codecs
import Journaling
import Platform
import Records
import TestKit

// The journal's reader and recovery on any bytes of a segment. The first byte says whether the checksums and
// places of what looks like frames are put right first, so that the parts behind them are reached. Nothing
// may trap or read out of bounds; what the reader shows can be read whole; a journal that opens shows the
// same, can be written to, and shows that as well when it is opened again.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzFrames(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard count > 1, count < 16 << 10 else { return 0 }
  var frames = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
  if start[0] & 1 == 1 { seal(&frames) }
  guard let disk = try? makeDisk(frames) else { preconditionFailure("a simulated disk without faults works") }
  var rows: [String] = []
  guard
    let reader = try? JournalReader(
      directory: "journal", fileSystem: disk,
      visit: { (frame) throws(JournalError) in
        if let batch = try frame.batch() { rows += RandomBatches.rowTexts(batch) }
      })
  else { preconditionFailure("the reader reports damage, it does not fail") }
  guard let journal = try? open(disk) else {
    precondition(reader.findings.contains { $0.isDamage }, "what does not open is reported as damage")
    return 0
  }
  precondition(!reader.findings.contains { $0.isDamage }, "damage is not opened")
  precondition(shownRows(journal) == rows.count, "the journal shows what the reader reads")
  let partition = Partition(tenant: Tenant(realm: .native, name: "fuzz"), dataset: .queries)
  guard journal.nextPosition(of: partition.tenant) < Int64.max / 2 else { return 0 }
  var generator = SeededGenerator(seed: 1)
  let batch = RandomBatches.batch(of: .queries, rowCount: 2, using: &generator)
  let result = journal.commit([AppendRequest(batch: batch, partition: partition)])[0]
  guard case .success = result, let again = try? open(disk.kill()) else {
    preconditionFailure("an opened journal can be written and opened again")
  }
  precondition(shownRows(again) == rows.count + 2, "nothing is lost or invented")
  return 0
}

private func shownRows(_ journal: JournalFile) -> Int {
  journal.heads().reduce(0) { $0 + $1.rowCount }
}

private func open(_ disk: SimulatedDisk) throws(JournalError) -> JournalFile {
  var options = JournalOptions()
  options.segmentBytes = 32 << 10
  options.writeReserveBytes = 0
  return try JournalFile.open(
    directory: "journal",
    environment: StoreEnvironment(fileSystem: disk, clock: ManualClock(), entropy: SeededEntropy(seed: 1)),
    options: options, start: JournalStart()
  ).journal
}

private func makeDisk(_ frames: [UInt8]) throws -> SimulatedDisk {
  let disk = SimulatedDisk(seed: 1)
  var header: [UInt8] = Array("CWJOURNL".utf8) + [1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]
  let size = (64 + frames.count + 7) & ~7
  header += littleEndian(UInt64(size)) + [UInt8](repeating: 0, count: 28)
  header += littleEndian(CRC32C.checksum(header))
  let bytes = header + frames + [UInt8](repeating: 0, count: size - 64 - frames.count)
  try disk.createDirectory("journal")
  try disk.create("journal/00000001.seg").write(bytes.span, at: 0)
  return disk
}

/// Puts magic, length, place and checksums right, frame after frame.
private func seal(_ bytes: inout [UInt8]) {
  var at = 0
  while at + 104 <= bytes.count {
    let asked = Int(bytes[at + 8]) | Int(bytes[at + 9]) << 8
    let length = min(max(104, asked & ~7), (bytes.count - at) & ~7)
    put(Array("CWLF".utf8) + [1], at, &bytes)
    put(littleEndian(UInt32(length)), at + 8, &bytes)
    put(littleEndian(CRC32C.checksum(Array(bytes[at + 104..<at + length]))), at + 12, &bytes)
    put(littleEndian(UInt32(1)) + littleEndian(UInt32(64 + at)), at + 16, &bytes)
    put(littleEndian(CRC32C.checksum(Array(bytes[at..<at + 100]))), at + 100, &bytes)
    at += length
  }
}

private func put(_ new: [UInt8], _ at: Int, _ bytes: inout [UInt8]) {
  bytes.replaceSubrange(at..<at + new.count, with: new)
}

private func littleEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
  (0..<MemoryLayout<Value>.size).map { UInt8(truncatingIfNeeded: value >> Value($0 * 8)) }
}
