import Codecs
import Columnar
import Foundation
import Shaping

/// A file's text from some place on, as UTF-8 without a byte-order mark, whatever it lies there as: plain,
/// gzip or zstd, UTF-8 or UTF-16, entries of a journal or elements of a list. Places are bytes of that text.
final class ContentReader {
  private static let readBytes = 256 * 1024
  /// Looked at to tell what a file is.
  private static let headBytes = 64 * 1024

  let name: String
  let isCompressed: Bool
  private let handle: FileHandle
  private let coding: StreamDecompressor.Coding?
  private let text: TextEncoding
  private var decompressor: StreamDecompressor?
  private var utf16: UTF16Bytes?
  /// At the file's beginning; nil: its records are lines.
  private let firstListed: ListedRecords?
  private var listed: ListedRecords?
  /// Whether somebody may be writing it: what has no end yet waits.
  var isGrowing = false
  /// Decoded and not yet given out.
  private var ready: [UInt8] = []
  private var readyAt = 0
  private var isAtEnd = false
  /// Where the next read begins.
  private(set) var offset = 0

  /// - Parameters:
  ///   - handle: Of a file that can be read again, at its beginning.
  ///   - readsLists: Whether records that are no lines are looked for.
  /// - Throws: It is no text.
  init(_ handle: FileHandle, name: String, readsLists: Bool = true) throws {
    self.handle = handle
    self.name = name
    let head = try ContentReader.bytes(of: handle, ContentReader.headBytes, name)
    coding = StreamDecompressor.Coding(head)
    isCompressed = coding != nil
    if let coding {
      try handle.seek(toOffset: 0)
      decompressor = try ContentReader.decompressor(coding, name)
    }
    // What is in it says what it is.
    var start = head
    if coding != nil { start = try ContentReader.first(ContentReader.headBytes, decompressor, handle, name) }
    text = TextEncoding(start)
    var beginning = Array(start.dropFirst(text.markBytes))
    if text.isUTF16 {
      var units = UTF16Bytes(isBigEndian: text.isBigEndian)
      beginning = units.decode(beginning, atEnd: false)
    }
    firstListed = readsLists ? ListedRecords(beginning) : nil
    if firstListed == nil { try FileKind.checkIsText(start, text, name) }
    try rewind()
  }

  /// Whether the file can be read from any place at once.
  var isPlain: Bool { coding == nil && !text.isUTF16 && firstListed == nil }

  /// What is wrong with it behind all that was read, for people.
  var fault: String? { listed?.fault }

  /// Whether its records are a list whose end was read before the list had one.
  var isCutOff: Bool { isAtEnd && listed?.isOpen ?? false }

  /// What its records are; nil: lines.
  var listing: ListedRecords? { firstListed }

  /// Bytes of text in a plain file of so many bytes.
  func textBytes(ofFile size: Int) -> Int { max(0, size - text.markBytes) }

  /// Goes to a place of the text; what is not plain is read from its beginning.
  func seek(to place: Int) throws {
    if isPlain {
      ready = []
      readyAt = 0
      isAtEnd = false
      offset = place
      do { try handle.seek(toOffset: UInt64(place + text.markBytes)) } catch {
        throw Failure("cannot read \(name)")
      }
      return
    }
    if place < offset { try rewind() }
    while offset < place {
      guard try !read(min(place - offset, ContentReader.readBytes)).isEmpty else { return }
    }
  }

  /// Up to `count` bytes; fewer only at the end, which a file that grows may leave again if it is plain.
  func read(_ count: Int) throws -> [UInt8] {
    if isPlain {
      let bytes = try ContentReader.bytes(of: handle, count, name)
      offset += bytes.count
      return bytes
    }
    var bytes: [UInt8] = []
    while bytes.count < count {
      if readyAt >= ready.count {
        guard try fill() else { break }
        continue
      }
      let end = min(ready.count, readyAt + count - bytes.count)
      bytes += ready[readyAt..<end]
      readyAt = end
    }
    offset += bytes.count
    return bytes
  }

  private func rewind() throws {
    do { try handle.seek(toOffset: 0) } catch { throw Failure("cannot read \(name)") }
    ready = []
    readyAt = 0
    isAtEnd = false
    offset = 0
    if let coding { decompressor = try ContentReader.decompressor(coding, name) }
    utf16 = text.isUTF16 ? UTF16Bytes(isBigEndian: text.isBigEndian) : nil
    var mark = text.markBytes
    if isPlain { return try seek(to: 0) }
    while mark > 0 {
      guard try fillRaw() else { return }
      let dropped = min(mark, ready.count)
      ready.removeFirst(dropped)
      mark -= dropped
    }
    listed = firstListed
    ready = converted(ready, atEnd: false)
  }

  /// What lies in the file as it is read.
  private func converted(_ bytes: [UInt8], atEnd: Bool) -> [UInt8] {
    let text = utf16?.decode(bytes, atEnd: atEnd) ?? bytes
    return listed?.decode(text, atEnd: atEnd) ?? text
  }

  /// - Returns: false: at the end, or at what is wrong.
  private func fill() throws -> Bool {
    guard fault == nil, try fillRaw() else {
      guard !isAtEnd else { return false }
      isAtEnd = true
      ready = converted([], atEnd: !isGrowing)
      return !ready.isEmpty
    }
    ready = converted(ready, atEnd: false)
    return true
  }

  /// The next bytes as they are in the file, decompressed.
  private func fillRaw() throws -> Bool {
    readyAt = 0
    ready = try ContentReader.next(decompressor, handle, name)
    return !ready.isEmpty
  }

  // MARK: Bytes

  /// Empty: at the end.
  private static func next(
    _ decompressor: StreamDecompressor?, _ handle: FileHandle, _ name: String
  ) throws -> [UInt8] {
    guard let decompressor else { return try bytes(of: handle, readBytes, name) }
    do {
      while true {
        let bytes = try decompressor.step()
        if !bytes.isEmpty { return bytes }
        let more = try self.bytes(of: handle, readBytes, name)
        guard !more.isEmpty else {
          try decompressor.end()
          return []
        }
        decompressor.give(more)
      }
    } catch let error as CodingError {
      throw Failure("\(name) cannot be decompressed: \(error)")
    }
  }

  private static func first(
    _ count: Int, _ decompressor: StreamDecompressor?, _ handle: FileHandle, _ name: String
  ) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let more = try next(decompressor, handle, name)
      guard !more.isEmpty else { break }
      bytes += more
    }
    return Array(bytes.prefix(count))
  }

  private static func decompressor(
    _ coding: StreamDecompressor.Coding, _ name: String
  ) throws -> StreamDecompressor {
    do { return try StreamDecompressor(coding) } catch { throw Failure("\(name): \(error)") }
  }

  private static func bytes(of handle: FileHandle, _ count: Int, _ name: String) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let data: Data?
      do { data = try handle.read(upToCount: count - bytes.count) } catch {
        throw Failure("cannot read \(name)")
      }
      guard let data, !data.isEmpty else { break }
      bytes += data
    }
    return bytes
  }
}

/// How a text's characters are bytes, told by its byte-order mark; two texts in three of UTF-16 without one
/// are known by their zeros.
enum TextEncoding: Hashable {
  case utf8, utf8Marked, utf16LittleEndian, utf16BigEndian
  /// UTF-16 without a mark.
  case bareLittleEndian, bareBigEndian

  init(_ head: [UInt8]) {
    if head.starts(with: [0xEF, 0xBB, 0xBF]) {
      self = .utf8Marked
    } else if head.starts(with: [0xFF, 0xFE]) {
      self = .utf16LittleEndian
    } else if head.starts(with: [0xFE, 0xFF]) {
      self = .utf16BigEndian
    } else {
      self = TextEncoding.bare(head)
    }
  }

  private static func bare(_ head: [UInt8]) -> TextEncoding {
    let pairs = head.count / 2
    guard pairs >= 8 else { return .utf8 }
    let even = (0..<pairs).count { head[$0 * 2] == 0 }
    let odd = (0..<pairs).count { head[$0 * 2 + 1] == 0 }
    if odd * 10 >= pairs * 7, even * 10 <= pairs { return .bareLittleEndian }
    if even * 10 >= pairs * 7, odd * 10 <= pairs { return .bareBigEndian }
    return .utf8
  }

  var isUTF16: Bool { self != .utf8 && self != .utf8Marked }

  var isBigEndian: Bool { self == .utf16BigEndian || self == .bareBigEndian }

  var markBytes: Int {
    switch self {
    case .utf8, .bareLittleEndian, .bareBigEndian: 0
    case .utf8Marked: 3
    case .utf16LittleEndian, .utf16BigEndian: 2
    }
  }
}

/// UTF-16 to UTF-8, piece by piece. Halves of pairs become U+FFFD.
struct UTF16Bytes {
  private let isBigEndian: Bool
  private var oddByte: UInt8?
  private var high: UInt32?

  init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

  mutating func decode(_ bytes: [UInt8], atEnd: Bool) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count)
    for byte in bytes {
      guard let first = oddByte else {
        oddByte = byte
        continue
      }
      oddByte = nil
      let (large, small) = isBigEndian ? (first, byte) : (byte, first)
      take(UInt32(large) << 8 | UInt32(small), into: &output)
    }
    if atEnd, high != nil || oddByte != nil {
      UTF16Bytes.append(0xFFFD, to: &output)
      (high, oddByte) = (nil, nil)
    }
    return output
  }

  private mutating func take(_ unit: UInt32, into output: inout [UInt8]) {
    if let first = high {
      high = nil
      if (0xDC00..<0xE000).contains(unit) {
        return UTF16Bytes.append(0x10000 + (first - 0xD800) << 10 + (unit - 0xDC00), to: &output)
      }
      UTF16Bytes.append(0xFFFD, to: &output)
    }
    switch unit {
    case 0xD800..<0xDC00: high = unit
    case 0xDC00..<0xE000: UTF16Bytes.append(0xFFFD, to: &output)
    default: UTF16Bytes.append(unit, to: &output)
    }
  }

  private static func append(_ value: UInt32, to output: inout [UInt8]) {
    guard let scalar = Unicode.Scalar(value) else { return }
    output += Array(UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
  }
}

/// Files that are no lines of text.
enum FileKind {
  private static let signs: [(bytes: [UInt8], what: String)] = [
    ([0x50, 0x4B, 0x03, 0x04], "a zip archive: unpack it, and name the files in it"),
    ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "xz: `xz -dc FILE | cordwood import -` reads it"),
    ([0x42, 0x5A, 0x68], "bzip2: `bzip2 -dc FILE | cordwood import -` reads it"),
    ([0x04, 0x22, 0x4D, 0x18], "lz4: `lz4 -dc FILE | cordwood import -` reads it"),
    (
      Array("LPKSHHRH".utf8),
      "a journal of systemd: `journalctl --file FILE -o json | cordwood import -` reads it"
    ),
    (Array("PAR1".utf8), "a Parquet file"), ([0x7F, 0x45, 0x4C, 0x46], "a program"),
    (Array("SQLite format 3".utf8), "an SQLite database"), (Array("ElfFile".utf8), "a Windows event log"),
  ]

  /// - Throws: What it is instead.
  static func checkIsText(_ head: [UInt8], _ text: TextEncoding, _ name: String) throws {
    if let sign = signs.first(where: { head.starts(with: $0.bytes) }) {
      throw Failure("\(name) is \(sign.what)")
    }
    if head.count > 262, Array(head[257..<262]) == Array("ustar".utf8) {
      throw Failure("\(name) is a tar archive: `tar -xOf FILE | cordwood import -` reads what is in it")
    }
    guard !text.isUTF16 else { return }
    let controls = head.count { $0 < 0x20 && ![0x09, 0x0A, 0x0D, 0x0C, 0x1B].contains($0) }
    // A few NULs are what a crash leaves in a log; of bytes that mean nothing one in ten is such.
    guard controls * 16 <= head.count else {
      throw Failure("\(name) is binary, no lines of text")
    }
  }
}
