import Codecs
import Records

/// A request's worth of lines.
struct ImportBatch: Sendable, Hashable {
  /// NDJSON.
  var body: [UInt8]
  /// The bytes of the input it stands for.
  var range: Range<Int>
  /// Records; more than lines where ``cuts`` says so.
  var lineCount: Int
  /// Lines of text that begin here and became several records.
  var cuts = LineCuts()
  /// Where in the input each record begins.
  var offsets: [Int] = []
}

/// Lines that were too long for one record.
struct LineCuts: Sendable, Hashable {
  var count = 0
  /// Where in the input the first of them starts.
  var firstOffset: Int?

  static func += (cuts: inout LineCuts, more: LineCuts) {
    cuts.count += more.count
    cuts.firstOffset = cuts.firstOffset ?? more.firstOffset
  }
}

/// How lines become records.
enum LineStyle: Sendable, Hashable {
  /// A line is a record's message. Bytes that are no UTF-8, and NUL, become U+FFFD.
  case text
  /// A line is a record.
  case json
}

/// Cuts input into lines and lines into batches. Pure: the same bytes from the same offset give the same
/// batches.
struct LineBatcher: ~Copyable {
  /// A longer line becomes several records: escaped it must stay within the server's
  /// `limits.entry_bytes_max`.
  static let lineBytesMax = 160 * 1024
  static let linesMax = 50_000

  let style: LineStyle
  /// Written at the start of each record: members with a comma behind each.
  var members: [UInt8]
  private let skipsEmpty: Bool
  private let bytesMax: Int
  private var writer = JSONWriter(capacity: 1 << 20)
  /// Input not yet in a batch, from `carryOffset` on.
  private var carry: [UInt8] = []
  private var carryOffset: Int
  private var lineCount = 0
  private var offsets: [Int] = []
  private var cuts = LineCuts()
  /// Of the carry, the bytes that the last look for whole lines has seen, and where its last line begins.
  private var seen = (count: 0, lineStart: 0)
  /// Whether the carry starts within a line that was cut.
  private var startsWithinLine = false

  /// - Parameters:
  ///   - offset: Where in the input the first byte fed lies.
  ///   - bytesMax: A batch ends with the line that reaches this many bytes of body.
  init(style: LineStyle, members: [UInt8], skipsEmpty: Bool, offset: Int, bytesMax: Int) {
    self.style = style
    self.members = members
    self.skipsEmpty = skipsEmpty
    self.bytesMax = bytesMax
    self.carryOffset = offset
  }

  /// Bytes fed that are in no batch yet.
  var carryBytes: Int { carry.count }

  mutating func feed(_ bytes: [UInt8]) {
    carry.append(contentsOf: bytes)
  }

  /// The next batch; nil when more input is needed.
  ///
  /// - Parameters:
  ///   - atEnd: No more input comes: the rest, whatever its size; then nil.
  ///   - isLive: What whole lines there are make a batch, however few.
  mutating func next(atEnd: Bool, isLive: Bool = false) -> ImportBatch? {
    // Whole lines that did not fill a batch are one now, though nothing came.
    let hasWhole = isLive && seen.lineStart > 0
    guard atEnd || hasWhole || hasNewLine() else { return nil }
    var at = 0
    var isWithinLine = startsWithinLine
    while at < carry.count {
      guard let (lineEnd, next, isCut) = line(from: at, atEnd: atEnd) else { break }
      append(at..<lineEnd)
      if isCut, !isWithinLine { cuts += LineCuts(count: 1, firstOffset: carryOffset + at) }
      isWithinLine = isCut
      at = next
      if writer.byteCount >= bytesMax || lineCount >= LineBatcher.linesMax {
        return take(at, endsWithinLine: isWithinLine)
      }
    }
    if atEnd || isLive, at > 0 { return take(at, endsWithinLine: isWithinLine) }
    // An unfinished batch is begun anew with more input: lines are scanned twice, but nothing is kept in
    // between.
    writer.removeAll()
    lineCount = 0
    offsets = []
    cuts = LineCuts()
    seen = (carry.count, at)
    return nil
  }

  /// Whether what came since the last look may complete a line: then alone is all looked at again, so that a
  /// line of any length, in any pieces, is read in linear time.
  private mutating func hasNewLine() -> Bool {
    guard seen.count > 0 else { return true }
    if style == .text, carry.count - seen.lineStart > LineBatcher.lineBytesMax { return true }
    if carry[seen.count...].contains(10) { return true }
    seen.count = carry.count
    return false
  }

  private mutating func take(_ end: Int, endsWithinLine: Bool) -> ImportBatch {
    let batch = ImportBatch(
      body: writer.takeBytes(), range: carryOffset..<carryOffset + end, lineCount: lineCount, cuts: cuts,
      offsets: offsets)
    offsets = []
    startsWithinLine = endsWithinLine
    cuts = LineCuts()
    carry.removeFirst(end)
    carryOffset += end
    seen = (0, 0)
    lineCount = 0
    return batch
  }

  /// The line that starts at `start`: its end without the line end, where the next starts, and whether that
  /// is the rest of this one.
  private func line(from start: Int, atEnd: Bool) -> (end: Int, next: Int, isCut: Bool)? {
    let limit = min(carry.count, start + LineBatcher.lineBytesMax)
    var at = start
    while at < limit, carry[at] != 10 { at += 1 }
    if at < carry.count, carry[at] == 10 {
      let end = at > start && carry[at - 1] == 13 ? at - 1 : at
      return (end, at + 1, false)
    }
    if style == .text, at - start >= LineBatcher.lineBytesMax {
      // Nothing behind it yet: what comes next may be the line's end.
      guard at < carry.count else { return atEnd ? (at, at, false) : nil }
      // A cut must not fall into a character: move it before the bytes that continue one.
      var cut = at
      while cut > at - 4, carry[cut - 1] & 0xC0 == 0x80 { cut -= 1 }
      if carry[cut - 1] >= 0xC0 { cut -= 1 }
      return (cut, cut, true)
    }
    if style == .json, !atEnd || at < carry.count {
      while at < carry.count, carry[at] != 10 { at += 1 }
      return at < carry.count ? (at, at + 1, false) : atEnd ? (at, at, false) : nil
    }
    guard atEnd else { return nil }
    return (at > start && carry[at - 1] == 13 ? at - 1 : at, at, false)
  }

  private mutating func append(_ line: Range<Int>) {
    switch style {
    case .text:
      if line.isEmpty, skipsEmpty { return }
      writer.append(raw: "{")
      writer.append(raw: members)
      writer.append(raw: "\"message\":")
      appendMessage(line)
      writer.append(raw: "}\n")
    case .json:
      var start = line.lowerBound
      while start < line.upperBound, carry[start] == 32 || carry[start] == 9 { start += 1 }
      guard start < line.upperBound else { return }
      if !members.isEmpty, carry[start] == UInt8(ascii: "{"), takesMembers(start..<line.upperBound) {
        writer.append(raw: "{")
        writer.append(raw: members)
        start += 1
      }
      // A reference of its own: the writer is changed while the bytes are read.
      let bytes = carry
      writer.append(raw: bytes.span.extracting(start..<line.upperBound))
      writer.append(raw: "\n")
    }
    lineCount += 1
    offsets.append(carryOffset + line.lowerBound)
  }

  /// Whether ours are put into a record: where it has one of their names, its own win; none are put into one
  /// without members, or into what is no JSON, which the server refuses with the right place.
  private func takesMembers(_ line: Range<Int>) -> Bool {
    do throws(JSONTree.SyntaxError) {
      let own = try LineBatcher.names(of: Array("{".utf8) + members.dropLast() + Array("}".utf8))
      let sent = try LineBatcher.names(of: Array(carry[line]))
      return !sent.isEmpty && !sent.contains { name in own.contains { $0.hasBytes(of: name) } }
    } catch {
      return false
    }
  }

  private static func names(of object: [UInt8]) throws(JSONTree.SyntaxError) -> [String] {
    var reader = JSONReader(object)
    guard reader.peek() == UInt8(ascii: "{") else { return [] }
    try reader.open()
    var names: [String] = []
    var seen = JSONNames()
    while let name = try reader.member(&seen) {
      names.append(name)
      try reader.skip()
    }
    return names
  }

  private mutating func appendMessage(_ line: Range<Int>) {
    let input = carry
    let bytes = input.span.extracting(line)
    var hasNUL = false
    for index in bytes.indices where bytes[index] == 0 { hasNUL = true }
    guard hasNUL || !UTF8Repair.isValid(bytes) else {
      writer.appendString(bytes)
      return
    }
    var repaired: [UInt8] = []
    _ = UTF8Repair.append(bytes, to: &repaired)
    if hasNUL {
      repaired = repaired.flatMap { $0 == 0 ? [0xEF, 0xBF, 0xBD] : [$0] }
    }
    writer.appendString(repaired.span)
  }

  /// What a file holds, told from its first line: `{…}` means records.
  static func detectStyle(_ head: [UInt8]) -> LineStyle {
    guard let first = head.first(where: { $0 > 32 }), first == UInt8(ascii: "{") else { return .text }
    let line = head.drop { $0 <= 32 }.prefix { $0 != 10 }
    // Cut off by the end of what was read: its beginning must do.
    guard line.endIndex < head.endIndex else { return .json }
    return line.last { $0 > 32 } == UInt8(ascii: "}") ? .json : .text
  }
}
