import Foundation
import Platform
import Records
import Synchronization
import TestKit
import Testing

@Suite struct FileSystemTests {
  @Test func theMachinesFilesConform() throws {
    let directory = try TemporaryDirectory()
    #expect(FileSystemConformance.problems(of: LocalFileSystem(), root: directory.path) == [])
  }

  @Test func simulatedFilesConform() throws {
    let disk = SimulatedDisk(seed: 1)
    try disk.createDirectory("/data")
    #expect(FileSystemConformance.problems(of: disk, root: "/data") == [])
  }

  @Test func aFullDiskIsToldApart() throws {
    // /dev/full answers each write with ENOSPC.
    let file = try LocalFileSystem().open("/dev/full", writable: true)
    #expect(throws: DiskError.full(operation: .write, path: "/dev/full")) {
      try file.write([1].span, at: 0)
    }
  }
}

@Suite struct LimitTests {
  /// Whatever was allowed before: no core file, and no page of memory in what other programs are handed.
  @Test func crashesWriteNoMemory() throws {
    #expect(ProcessLimits.forbidCoreDumps())
    let limits = try String(contentsOfFile: "/proc/self/limits", encoding: .utf8)
    let core = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
    #expect(core?.split(separator: " ").suffix(3) == ["0", "0", "bytes"])
    let filter = try String(contentsOfFile: "/proc/self/coredump_filter", encoding: .utf8)
    #expect(filter.split(separator: "\n") == ["00000000"])
  }
}

@Suite struct ThreadTests {
  @Test func aDiskThreadKeepsOrder() async {
    let thread = DiskThread(name: "test")
    let seen = Mutex<[Int]>([])
    for number in 0..<3000 { thread.submit { seen.withLock { $0.append(number) } } }
    let count = await thread.run { seen.withLock { $0.count } }
    #expect(count == 3000)
    #expect(seen.withLock { $0 } == Array(0..<3000))
  }

  @Test func errorsComeBackTyped() async {
    let pool = WorkerPool(threads: 2)
    await #expect(throws: DiskError.notFound(path: "x")) {
      try await pool.run { () throws(DiskError) -> Int in throw .notFound(path: "x") }
    }
  }

  @Test func allWorkersWork() async {
    let pool = WorkerPool(threads: 4)
    // Each job waits until all four run at once: with fewer threads it would never end.
    let meeting = Meeting(count: 4)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 { group.addTask { await pool.run { meeting.join() } } }
    }
    #expect(meeting.isComplete)
  }

  actor Pinned {
    let thread = DiskThread(name: "pinned")
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }
    var count = 0
    func add() { count += 1 }
  }

  @Test func anActorRunsOnItsThread() async {
    let actor = Pinned()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<500 { group.addTask { await actor.add() } }
    }
    #expect(await actor.count == 500)
  }

  final class Meeting: Sendable {
    private let condition = NSCondition()
    private let missing: Mutex<Int>
    init(count: Int) { missing = Mutex(count) }
    var isComplete: Bool { missing.withLock { $0 == 0 } }
    func join() {
      condition.lock()
      missing.withLock { $0 -= 1 }
      condition.broadcast()
      while !isComplete { condition.wait() }
      condition.unlock()
    }
  }
}

@Suite struct FileLockTests {
  @Test func oneHolderAtATime() throws {
    let directory = try TemporaryDirectory()
    let path = directory.path + "/lock"
    do {
      let lock = try FileLock(directory: directory.path)
      let us = Int(ProcessInfo.processInfo.processIdentifier)
      #expect(throws: FileLockError.held(path: path, process: us)) {
        try FileLock(directory: directory.path)
      }
      withExtendedLifetime(lock) {}
    }
    _ = try FileLock(directory: directory.path)
  }

  /// The file tells who has the directory; it is not what keeps others out.
  @Test func removingTheFileLetsNobodyIn() throws {
    let directory = try TemporaryDirectory()
    let lock = try FileLock(directory: directory.path)
    try LocalFileSystem().remove(directory.path + "/lock")
    #expect(throws: FileLockError.held(path: directory.path + "/lock", process: nil)) {
      try FileLock(directory: directory.path)
    }
    withExtendedLifetime(lock) {}
  }

  /// A directory that was moved away is known by more than its name.
  @Test func aMovedDirectoryIsNotTheOneKnown() throws {
    let parent = try TemporaryDirectory()
    let files = LocalFileSystem()
    let path = parent.path + "/data"
    try files.createDirectory(path)
    let known = try KnownDirectory(path, on: files)
    try known.check()
    try files.rename(path, to: path + ".old")
    #expect(throws: DiskError.failed(operation: .recognize, path: path, offsetBytes: 0, code: 116)) {
      try known.check()
    }
    try files.createDirectory(path)
    #expect(throws: DiskError.self) { try known.check() }
    try files.removeDirectory(path)
    try files.rename(path + ".old", to: path)
    try known.check()
  }
}

@Suite struct WriteBufferTests {
  @Test func pathsAreCutAtTheirLastSlash() throws {
    let cases = [
      ("/données/control.sqlite", "/données", "control.sqlite"), ("/x", "/", "x"), ("x", ".", "x"),
      ("a/e\u{301}/\u{301}b", "a/e\u{301}", "\u{301}b"), ("a/", "a", ""),
    ]
    for (path, directory, last) in cases {
      #expect(PathName.directory(of: path).utf8.elementsEqual(directory.utf8), "\(path)")
      #expect(PathName.last(of: path).utf8.elementsEqual(last.utf8), "\(path)")
    }
    let disk = SimulatedDisk(seed: 1)
    try disk.createDirectory("d")
    for expected in ["d/a", "d/a.1", "d/a.2"] {
      let name = try disk.unusedName("d/a")
      #expect(name == expected)
      _ = try disk.create(name)
    }
  }

  @Test func integersAreLittleEndian() {
    let buffer = WriteBuffer(capacity: 8)
    buffer.append(UInt32(0x0102_0304))
    buffer.append([9, 8])
    buffer.pad8()
    buffer.append(Int64(-2))
    buffer.store(UInt8(7), at: 4)
    #expect(bytes(buffer) == [4, 3, 2, 1, 7, 8, 0, 0, 0xFE] + [UInt8](repeating: 0xFF, count: 7))
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func bitsLikeTheModel(seed: UInt64) {
    var generator = SeededGenerator(seed: seed)
    let source = (0..<40).map { _ in UInt8.random(in: 0...255, using: &generator) }
    let from = Int.random(in: 0...100, using: &generator) & (Bool.random(using: &generator) ? ~7 : ~0)
    let at = Int.random(in: 0...100, using: &generator) & (Bool.random(using: &generator) ? ~7 : ~0)
    let count = Int.random(in: 0...200, using: &generator)
    let buffer = WriteBuffer(capacity: 8)
    buffer.appendZeros(50)
    let usesSource = seed % 5 != 0
    buffer.setBits(
      inBitmapAt: 3, bit: at, from: usesSource ? Buffer(copying: source) : nil, sourceBit: from, count: count)
    var expected = [UInt8](repeating: 0, count: 50)
    for index in 0..<count {
      let bit = usesSource ? source[(from + index) / 8] >> UInt8((from + index) % 8) & 1 : 1
      expected[3 + (at + index) / 8] |= bit << UInt8((at + index) % 8)
    }
    #expect(bytes(buffer) == expected, "seed \(seed)")
  }

  private func bytes(_ buffer: WriteBuffer) -> [UInt8] {
    buffer.withSpan(0..<buffer.count) { span in span.indices.map { span[$0] } }
  }
}
