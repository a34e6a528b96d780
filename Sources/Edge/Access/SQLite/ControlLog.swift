import Platform
import Records

/// SQLite's write-ahead log beside a database, read without SQLite: which takes the frames up to the first
/// that is not whole and says nothing of those behind it. Here they say whether that one was cut off while it
/// was written, or was once on the disk and is damaged.
///
/// Format: sqlite.org/fileformat2.html, section 4.
package struct ControlLog: Sendable {
  /// Of the file.
  package let path: String
  /// Its first bytes that SQLite takes: whole transactions.
  package private(set) var takenBytes = 0
  /// nil: all of it is whole, or there is none.
  package private(set) var finding: FileFinding?

  private let file: (any File)?

  private static let passesMax = 5

  /// Reads the log of the database at `path`, which others may be writing to meanwhile: what looks like
  /// damage is read again until it stays. Blocks on the disk; a frame at a time is in memory.
  package init(of database: String) throws(DiskError) {
    let fileSystem = LocalFileSystem()
    path = database + "-wal"
    guard try fileSystem.exists(path) else {
      file = nil
      return
    }
    let file = try fileSystem.open(path, writable: false)
    self.file = file
    var before: (header: [UInt8], finding: FileFinding?)?
    for pass in 1...ControlLog.passesMax {
      do throws(DiskError) {
        let header = try ControlLog.header(of: file)
        takenBytes = 0
        finding = nil
        try examine(file, header)
        let isDamaged = finding?.isDamage == true
        // Begun anew meanwhile, its frames were overwritten as they were read; and a frame that was being
        // written is whole the next time.
        if !isDamaged || before.map({ $0.header == header && $0.finding == finding }) ?? false {
          if try ControlLog.header(of: file) == header { return }
        }
        before = (header, finding)
      } catch {
        // It was cut off as it was read.
        if pass == ControlLog.passesMax { throw error }
      }
    }
    finding = nil
  }

  /// What SQLite takes of the log. Blocks on the disk.
  func taken() throws(DiskError) -> [UInt8] {
    try file?.read(at: 0, count: takenBytes) ?? []
  }

  private static func header(of file: any File) throws(DiskError) -> [UInt8] {
    try file.read(at: 0, count: min(try file.size(), LogHeader.byteCount))
  }

  private mutating func examine(_ file: any File, _ bytes: [UInt8]) throws(DiskError) {
    let size = try file.size()
    guard bytes.count == LogHeader.byteCount else { return }
    guard let header = LogHeader(bytes) else {
      // It is synced before the first frame is written.
      if size > LogHeader.byteCount {
        finding = FileFinding(file: path, offsetBytes: 0, reason: "the header is damaged", isDamage: true)
      }
      return
    }
    takenBytes = LogHeader.byteCount
    var reading = LogReading(header)
    var offset = LogHeader.byteCount
    while offset + header.frameBytes <= size {
      let frame = LogFrame(try file.read(at: offset, count: header.frameBytes), header)
      switch reading.take(frame, at: offset) {
      case .commit: takenBytes = offset + header.frameBytes
      case .wasSynced(let bad):
        finding = FileFinding(
          file: path, offsetBytes: bad,
          reason: "a frame is damaged, and changes were made behind it: SQLite drops it and them",
          isDamage: true)
        return
      case .goesOn: break
      }
      offset += header.frameBytes
    }
    if let bad = reading.unfinished {
      finding = FileFinding(
        file: path, offsetBytes: bad,
        reason: "the last change is not whole: it was being written as the process ended", isDamage: false)
    }
  }
}

/// What every frame of a log shares.
private struct LogHeader {
  static let byteCount = 32
  private static let magic: UInt32 = 0x377f_0682

  let frameBytes: Int
  let salts: [UInt8]
  let checksum: LogChecksum
  let isBigEndian: Bool

  /// nil: it is none.
  init?(_ bytes: [UInt8]) {
    let magic = bytes.bigEndianWord(at: 0)
    guard magic & ~1 == LogHeader.magic else { return nil }
    isBigEndian = magic & 1 == 1
    let checksum = LogChecksum().adding(bytes[..<24], isBigEndian: isBigEndian)
    guard checksum == LogChecksum(bytes, at: 24) else { return nil }
    let pageBytes = Int(bytes.bigEndianWord(at: 8))
    guard (512...65_536).contains(pageBytes), pageBytes & (pageBytes - 1) == 0 else { return nil }
    frameBytes = LogFrame.headerBytes + pageBytes
    salts = Array(bytes[16..<24])
    self.checksum = checksum
  }
}

/// A page as a transaction left it.
private struct LogFrame {
  static let headerBytes = 24

  let bytes: [UInt8]
  let isBigEndian: Bool
  /// Whether it is of this log, and not of what the file held before.
  let hasSalts: Bool
  let isCommit: Bool
  let checksum: LogChecksum

  init(_ bytes: [UInt8], _ header: LogHeader) {
    self.bytes = bytes
    isBigEndian = header.isBigEndian
    hasSalts = Array(bytes[8..<16]) == header.salts
    isCommit = bytes.bigEndianWord(at: 4) != 0
    checksum = LogChecksum(bytes, at: 16)
  }

  /// What its checksum must be behind a frame of checksum `before`.
  func expected(behind before: LogChecksum) -> LogChecksum {
    before.adding(bytes[..<8], isBigEndian: isBigEndian)
      .adding(bytes[LogFrame.headerBytes...], isBigEndian: isBigEndian)
  }
}

/// Frame by frame through a log.
///
/// A transaction's frames are synced before the next one's are written. So where a frame is not whole, and
/// behind it stands a commit that another frame was written after, all before that commit were on the disk.
/// That a frame was written after another its checksum tells, which goes on from the other's: frames that a
/// crash or a rollback left behind the end of a log do not.
private struct LogReading {
  enum Step {
    case goesOn
    case commit
    /// The first frame that is not whole, at that offset, once was.
    case wasSynced(Int)
  }

  /// Of the frames so far, or of those up to the first that is not whole.
  private var checksum: LogChecksum
  private var bad: Int?
  private var isFollowed = false
  /// What may be the checksum of a commit behind the first bad frame: the next frame tells.
  private var commits: [LogChecksum] = []

  init(_ header: LogHeader) { checksum = header.checksum }

  /// Where a transaction begins to be broken that has no whole commit, if any of it was written.
  var unfinished: Int? { isFollowed ? bad : nil }

  mutating func take(_ frame: LogFrame, at offset: Int) -> Step {
    guard let bad else {
      let expected = frame.expected(behind: checksum)
      if frame.hasSalts, expected == frame.checksum {
        checksum = expected
        return frame.isCommit ? .commit : .goesOn
      }
      bad = offset
      isFollowed = frame.hasSalts
      // Of a bad frame what is read may be right but for the checksum or the salts.
      if frame.isCommit { commits = [frame.checksum, expected] }
      return .goesOn
    }
    guard frame.hasSalts else {
      commits = []
      return .goesOn
    }
    isFollowed = true
    if commits.contains(where: { frame.expected(behind: $0) == frame.checksum }) { return .wasSynced(bad) }
    commits = frame.isCommit ? [frame.checksum] : []
    return .goesOn
  }
}

/// SQLite's: two sums over words of 32 bits, the one running through the other.
private struct LogChecksum: Equatable {
  private var first: UInt32 = 0
  private var second: UInt32 = 0

  init() {}

  /// As it is kept, always big-endian.
  init(_ bytes: [UInt8], at offset: Int) {
    first = bytes.bigEndianWord(at: offset)
    second = bytes.bigEndianWord(at: offset + 4)
  }

  /// - Parameter bytes: As many as a multiple of eight.
  func adding(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> LogChecksum {
    var sum = self
    for offset in stride(from: bytes.startIndex, to: bytes.endIndex, by: 8) {
      let words = (bytes.bigEndianWord(at: offset), bytes.bigEndianWord(at: offset + 4))
      sum.first &+= (isBigEndian ? words.0 : words.0.byteSwapped) &+ sum.second
      sum.second &+= (isBigEndian ? words.1 : words.1.byteSwapped) &+ sum.first
    }
    return sum
  }
}

extension RandomAccessCollection<UInt8> where Index == Int {
  fileprivate func bigEndianWord(at offset: Int) -> UInt32 {
    UInt32(self[offset]) << 24 | UInt32(self[offset + 1]) << 16 | UInt32(self[offset + 2]) << 8
      | UInt32(self[offset + 3])
  }
}
