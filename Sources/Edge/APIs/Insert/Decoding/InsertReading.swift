import Codecs
import Decoding
import Records
import Shaping

/// Reads objects, one behind the other or in a list.
struct InsertReading {
  private let body: [UInt8]
  private let origin: InsertBody.Origin
  private let times: LogTime
  private let shape: RecordShape
  private(set) var timesUnreadCount = 0
  private var at: Int
  private var isList = false

  init(_ body: [UInt8], _ origin: InsertBody.Origin, times: LogTime, shape: RecordShape) {
    (self.body, self.origin, self.times, self.shape) = (body, origin, times, shape)
    at = body.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
  }

  mutating func read(into lines: inout RecordLines) throws(PushFault) {
    guard let first = peek() else { return }
    guard first == UInt8(ascii: "[") else {
      while peek() != nil { try readRecord(into: &lines) }
      return
    }
    at += 1
    isList = true
    if peek() != UInt8(ascii: "]") {
      repeat { try readRecord(into: &lines) } while take(",")
    }
    guard take("]") else { throw .malformed("not JSON: at byte \(at): a comma or the array's end") }
    guard peek() == nil else { throw .malformed("not JSON: at byte \(at): text behind the array") }
  }

  /// The next byte behind white space; nil: there is none.
  private mutating func peek() -> UInt8? {
    while at < body.count, [0x20, 0x0A, 0x0D, 0x09].contains(body[at]) { at += 1 }
    return at < body.count ? body[at] : nil
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard let byte = peek(), UInt32(byte) == character.value else { return false }
    at += 1
    return true
  }

  /// Leaves out what is no record, up to the next line that begins an object.
  ///
  /// - Throws: `.malformed`: nobody knows where the next one begins.
  private mutating func pass(_ reason: String, of lines: inout RecordLines) throws(PushFault) {
    let next = nextLine(from: at)
    guard !isList, next != nil || lines.count > 0 else {
      throw .malformed("record \(lines.count): at byte \(at): \(reason)")
    }
    try lines.refuse("at byte \(at): \(reason)")
    at = next ?? body.count
  }

  /// Where the next line that begins an object does so; nil: none does.
  private func nextLine(from start: Int) -> Int? {
    var from = start
    while let end = body[from...].firstIndex(of: 0x0A) {
      let begin = body[end...].firstIndex { ![0x20, 0x0A, 0x0D, 0x09].contains($0) } ?? body.count
      if begin < body.count, body[begin] == UInt8(ascii: "{") { return begin }
      from = max(end + 1, begin)
    }
    return nil
  }

  private mutating func readRecord(into lines: inout RecordLines) throws(PushFault) {
    guard peek() == UInt8(ascii: "{") else { return try pass("a record is an object", of: &lines) }
    let start = at
    guard let end = JSONRepair.end(of: body, from: start) else {
      return try pass("an object without an end", of: &lines)
    }
    at = end
    var given = RecordShape.Given()
    (given.service, given.env, given.level) = (origin.service, origin.env, origin.knownLevel)
    var members = JSONWriter(capacity: end - start + 256)
    var reader = JSONReader(body, from: start)
    let outcome: RecordShape.Outcome?
    do throws(JSONTree.SyntaxError) {
      outcome = try shape.write(&reader, of: body, to: &members, times: times, given: given)
    } catch {
      // Braces of another line may have closed it.
      if !isList, let next = nextLine(from: start), next < end { at = next }
      return try lines.refuse("at byte \(error.offsetBytes): \(error.reason)")
    }
    if outcome?.hasUnreadableTime == true { timesUnreadCount += 1 }
    origin.writeLabels(to: &members)
    let written = members.takeBytes()
    try lines.append(bytesMax: written.count) { text throws(PushFault) in text.members(written) }
  }
}
