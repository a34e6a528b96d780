import Codecs
import Decoding
import Records
import Shaping

/// Reads logs one after the other.
struct DatadogReading {
  private let body: [UInt8]
  private let origin: DatadogLogs.Origin
  private let times: LogTime
  private let shape: RecordShape
  private let tagsMax: Int
  private(set) var timesUnreadCount = 0

  init(
    _ body: [UInt8], _ origin: DatadogLogs.Origin, times: LogTime, shape: RecordShape, tagsMax: Int
  ) {
    (self.body, self.origin, self.times, self.shape) = (body, origin, times, shape)
    self.tagsMax = tagsMax
  }

  mutating func read(into lines: inout RecordLines) throws(PushFault) {
    var reader = JSONReader(body)
    switch reader.peek() {
    case nil: throw .empty
    case UInt8(ascii: "{"): try readLog(&reader, into: &lines)
    case UInt8(ascii: "["):
      var isFirst = true
      do throws(JSONTree.SyntaxError) { try reader.open() } catch { throw DatadogReading.fault(error) }
      while try hasElement(&reader, isFirst) {
        isFirst = false
        try readLog(&reader, into: &lines)
      }
    default: throw .malformed("the body must be a list of objects, or one object")
    }
    do throws(JSONTree.SyntaxError) { try reader.end() } catch { throw DatadogReading.fault(error) }
  }

  private func hasElement(_ reader: inout JSONReader, _ isFirst: Bool) throws(PushFault) -> Bool {
    do throws(JSONTree.SyntaxError) { return try reader.hasElement(isFirst: isFirst) } catch {
      throw DatadogReading.fault(error)
    }
  }

  private static func fault(_ error: JSONTree.SyntaxError) -> PushFault {
    .malformed("not JSON: at byte \(error.offsetBytes): \(error.reason)")
  }

  private mutating func readLog(_ reader: inout JSONReader, into lines: inout RecordLines) throws(PushFault) {
    guard reader.peek() == UInt8(ascii: "{") else {
      do throws(JSONTree.SyntaxError) { try reader.skip() } catch { throw DatadogReading.fault(error) }
      return try lines.refuse("a log is an object")
    }
    let start = reader.at
    guard let end = JSONRepair.end(of: body, from: start) else {
      throw .malformed("not JSON: at byte \(start): an object without an end")
    }
    // Whatever is wrong inside is this log's alone.
    reader.move(to: end)
    var about = DatadogTags(countMax: tagsMax)
    var given = RecordShape.Given()
    var members = JSONWriter(capacity: end - start + 256)
    let outcome: RecordShape.Outcome?
    do throws(JSONTree.SyntaxError) {
      guard try readOrigin(from: start, &about, &given) else { return }
      var own = JSONReader(body, from: start)
      outcome = try shape.write(&own, of: body, to: &members, times: times, given: given)
    } catch { return try lines.refuse("at byte \(error.offsetBytes): \(error.reason)") }
    guard !about.isCut else { return try lines.refuse("more than \(tagsMax) tags") }
    if outcome?.hasUnreadableTime == true { timesUnreadCount += 1 }
    about.write(to: &members)
    let written = members.takeBytes()
    try lines.append(bytesMax: written.count) { text throws(PushFault) in text.members(written) }
  }

  /// Reads what becomes labels.
  ///
  /// - Returns: Whether the log says anything.
  private func readOrigin(
    from start: Int, _ about: inout DatadogTags, _ given: inout RecordShape.Given
  ) throws(JSONTree.SyntaxError) -> Bool {
    var reader = JSONReader(body, from: start)
    var (host, source) = (origin.host, origin.source)
    var tags: String?
    try reader.open()
    var names = JSONNames()
    while let name = try reader.member(&names) {
      let value = try ValuePlace(&reader)
      switch name {
      case "hostname", "ddsource", "ddtags":
        // What is no text stays where it is.
        guard let text = value.text(body) else { continue }
        given.apart.insert(Name(name))
        if name.hasBytes(of: "hostname") { host = text.isEmpty ? host : text }
        if name.hasBytes(of: "ddsource") { source = text.isEmpty ? source : text }
        if name.hasBytes(of: "ddtags") { tags = text }
      default: break
      }
    }
    if let host { about.add("hostname", host) }
    if let source { about.add("ddsource", source) }
    for list in [tags, origin.tags] { if let list { about.add(list: list) } }
    given.service = origin.service ?? about["service"]
    given.env = about["env"]
    return names.count > 0
  }
}
