import Codecs
import Decoding
import Records

/// Reads `ExportLogsServiceRequest` (opentelemetry-proto 1). Fields of other numbers are passed over.
struct OTLPMessage: OTLPValues {
  /// Where an `AnyValue` lies.
  typealias Value = Range<Int>
  private typealias Field = (field: Int, value: ProtobufReader.Value)

  private let body: [UInt8]
  let namesMax: Int

  init(_ body: [UInt8], namesMax: Int) {
    self.body = body
    self.namesMax = namesMax
  }

  func read(into lines: inout RecordLines) throws(PushFault) {
    var request = ProtobufReader(0..<body.count)
    while let (field, value) = try next(&request) {
      if field == 1, case .bytes(let range) = value { try readResource(range, into: &lines) }
    }
  }

  /// `ResourceLogs`: 1 resource, 2 scope logs.
  private func readResource(_ range: Range<Int>, into lines: inout RecordLines) throws(PushFault) {
    try lines.beginGroup()
    var attributes = NamedValues<Value>(countMax: namesMax)
    // The resource may stand behind its records.
    try forEach(1, in: range) { resource throws(PushFault) in
      try forEach(1, in: resource) { pair throws(PushFault) in try add(pair, to: &attributes) }
    }
    var source = OTLPSource()
    try source.begin(resource: attributes, self)
    try forEach(2, in: range) { scope throws(PushFault) in try readScope(scope, source, into: &lines) }
  }

  /// `ScopeLogs`: 1 scope { 1 name, 2 version, 3 attributes }, 2 records.
  private func readScope(
    _ range: Range<Int>, _ source: OTLPSource, into lines: inout RecordLines
  ) throws(PushFault) {
    try lines.beginGroup()
    var source = source
    var attributes = NamedValues<Value>(countMax: namesMax)
    var (name, version) = ("", "")
    try forEach(1, in: range) { scope throws(PushFault) in
      var reader = ProtobufReader(scope)
      while let (field, value) = try next(&reader) {
        guard case .bytes(let part) = value else { continue }
        switch field {
        case 1: name = string(part)
        case 2: version = string(part)
        case 3: try add(part, to: &attributes)
        default: break
        }
      }
    }
    try source.begin(scope: name, version: version, attributes, self)
    try forEach(2, in: range) { record throws(PushFault) in
      try self.record(record).append(to: &lines, source, self)
    }
  }

  private func record(_ range: Range<Int>) throws(PushFault) -> OTLPRecord<OTLPMessage> {
    var record = OTLPRecord(self)
    var reader = ProtobufReader(range)
    while let (field, value) = try next(&reader) {
      switch (field, value) {
      case (1, .fixed64(let time)): record.time = time
      case (2, .varint(let number)): record.severity = Int64(Int32(truncatingIfNeeded: number))
      case (3, .bytes(let text)): record.severityText = string(text)
      case (5, .bytes(let value)): record.body = value
      case (6, .bytes(let pair)): try add(pair, to: &record.attributes)
      case (8, .fixed32(let flags)): record.flags = UInt64(flags)
      case (9, .bytes(let id)): record.trace = hex(id)
      case (10, .bytes(let id)): record.span = hex(id)
      case (11, .fixed64(let time)): record.observed = time
      case (12, .bytes(let text)): record.event = string(text)
      default: break
      }
    }
    return record
  }

  // MARK: Values

  /// `KeyValue`: 1 key, 2 value.
  private func pair(_ range: Range<Int>) throws(PushFault) -> (name: String, value: Value) {
    var pair = (name: "", value: 0..<0)
    var reader = ProtobufReader(range)
    while let (field, value) = try next(&reader) {
      guard case .bytes(let part) = value else { continue }
      if field == 1 { pair.name = string(part) }
      if field == 2 { pair.value = part }
    }
    return pair
  }

  private func add(_ range: Range<Int>, to attributes: inout NamedValues<Value>) throws(PushFault) {
    let (name, value) = try pair(range)
    attributes.set(name, value)
  }

  /// The field of the value that counts: of a choice the last. nil: an empty value.
  private func chosen(_ value: Value) throws(PushFault) -> Field? {
    var chosen: Field?
    var reader = ProtobufReader(value)
    while let field = try next(&reader) { if (1...7).contains(field.field) { chosen = field } }
    return chosen
  }

  func text(_ value: Value) throws(PushFault) -> String? {
    guard case (1, .bytes(let text))? = try chosen(value) else { return nil }
    return string(text)
  }

  func isText(_ value: Value) throws(PushFault) -> Bool {
    if case (1, .bytes)? = try chosen(value) { true } else { false }
  }

  func isContainer(_ value: Value) throws(PushFault) -> Bool {
    let field = try chosen(value)?.field
    return field == 5 || field == 6
  }

  func byteCount(_ value: Value) -> Int { value.count + 16 }

  func write(_ value: Value, to text: inout JSONWriter, depth: Int) throws(PushFault) {
    guard depth <= OTLPRecord<OTLPMessage>.depthMax else { throw .tooDeep }
    switch try chosen(value) {
    case (1, .bytes(let words))?: text.value(repaired: body.span.extracting(words))
    case (2, .varint(let flag))?: text.value(flag != 0)
    case (3, .varint(let number))?: text.value(Int64(bitPattern: number))
    case (4, .fixed64(let bits))?: text.value(otlp: Double(bitPattern: bits))
    case (5, .bytes(let list))?:
      text.beginArray()
      var reader = ProtobufReader(list)
      while let (field, value) = try next(&reader) {
        if field == 1, case .bytes(let element) = value { try write(element, to: &text, depth: depth + 1) }
      }
      text.endArray()
    case (6, .bytes(let list))?:
      var members = NamedValues<Value>(countMax: namesMax)
      try forEach(1, in: list) { pair throws(PushFault) in try add(pair, to: &members) }
      guard !members.isCut else { throw .badRecord("a list of more than \(namesMax) names") }
      text.beginObject()
      for member in members.pairs {
        text.name(repaired: member.name)
        try write(member.value, to: &text, depth: depth + 1)
      }
      text.endObject()
    case (7, .bytes(let bytes))?: text.value(Base64.text(body.span.extracting(bytes)))
    default: text.null()
    }
  }

  // MARK: Walking

  private func string(_ range: Range<Int>) -> String { String(repairing: body.span.extracting(range)) }

  /// In hexadecimal; empty for zeros alone, which mean none.
  private func hex(_ range: Range<Int>) -> String {
    // A trace has 16 bytes, a span 8: what is longer is neither.
    guard range.count <= 32, body[range].contains(where: { $0 != 0 }) else { return "" }
    return Hex.text(Array(body[range]))
  }

  /// Calls `use` for each field of this number that holds bytes.
  private func forEach(
    _ number: Int, in range: Range<Int>, _ use: (Range<Int>) throws(PushFault) -> Void
  ) throws(PushFault) {
    var reader = ProtobufReader(range)
    while let (field, value) = try next(&reader) {
      if field == number, case .bytes(let range) = value { try use(range) }
    }
  }

  private func next(_ reader: inout ProtobufReader) throws(PushFault) -> Field? {
    try reader.nextField(of: body, as: "export of logs")
  }
}

extension PushFault {
  static let tooDeep = PushFault.badRecord("lists in lists, more than 32 levels")
}
