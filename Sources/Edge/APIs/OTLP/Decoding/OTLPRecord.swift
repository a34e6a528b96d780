import Codecs
import Decoding
import Records
import Shaping

/// A form of OTLP: what its values (`AnyValue`) are.
protocol OTLPValues {
  associatedtype Value

  /// The value if it is a text; nil: something else.
  func text(_ value: Value) throws(PushFault) -> String?

  /// Whether it is a text.
  func isText(_ value: Value) throws(PushFault) -> Bool

  /// Writes the value as JSON: bytes in base64, what no number in JSON is as a text.
  ///
  /// - Throws: `.badRecord`: more than ``OTLPRecord/depthMax`` levels of lists, or more names in one than
  ///   ``namesMax``.
  func write(_ value: Value, to text: inout JSONWriter, depth: Int) throws(PushFault)

  /// Names a list of names and values may have.
  var namesMax: Int { get }

  /// Whether it is a list, of values or of names and values.
  func isContainer(_ value: Value) throws(PushFault) -> Bool

  /// Bytes that it takes as it was sent, about.
  func byteCount(_ value: Value) -> Int
}

/// Where records come from, as written before: members of a record.
struct OTLPSource {
  /// What all records of a resource have.
  var resource: [UInt8] = []
  /// Members of `metadata` that all records of a scope have, and their names.
  var scope: [UInt8] = []
  var scopeNames: [String] = []
}

/// A record, whatever form it came in.
struct OTLPRecord<Form: OTLPValues> {
  /// Lists in lists beyond it are refused.
  static var depthMax: Int { 32 }

  /// Nanoseconds since 1970; 0: not known.
  var time: UInt64 = 0
  var observed: UInt64 = 0
  var severity: Int64 = 0
  var severityText = ""
  var body: Form.Value?
  var attributes: NamedValues<Form.Value>
  var flags: UInt64 = 0
  /// In hexadecimal; empty: none.
  var trace = ""
  var span = ""
  var event = ""

  init(_ form: Form) { attributes = NamedValues(countMax: form.namesMax) }

  /// Appends it to `lines`, or leaves it out there.
  func append(
    to lines: inout RecordLines, _ source: OTLPSource, _ form: Form
  ) throws(PushFault) {
    var bytes =
      source.resource.count + source.scope.count + severityText.utf8.count * 12 + event.utf8.count * 12
      + 1_024
    // A control character takes six bytes; a body may stand twice, and be a text within a text.
    if let body { bytes += form.byteCount(body) * 18 }
    for pair in attributes.pairs { bytes += pair.name.utf8.count * 6 + form.byteCount(pair.value) * 6 + 64 }
    try lines.append(bytesMax: bytes) { text throws(PushFault) in
      try write(to: &text, source, form)
    }
  }

  private func write(
    to text: inout JSONWriter, _ source: OTLPSource, _ form: Form
  ) throws(PushFault) {
    let moment = time == 0 ? observed : time
    guard moment <= Int64.max else { throw .badRecord("a time that is not before 2262-04-11") }
    guard !attributes.isCut else { throw .badRecord("more than \(form.namesMax) attributes") }
    if moment > 0 {
      text.name("timestamp")
      text.value(time: Int64(moment))
    }
    text.name("message")
    try writeMessage(to: &text, form)
    let level = level
    if let level {
      text.name("level")
      text.value(repaired: level)
    }
    if !trace.isEmpty {
      text.name("trace_id")
      text.value(trace)
    }
    if !span.isEmpty {
      text.name("span_id")
      text.value(span)
    }
    text.members(source.resource)
    text.name("metadata")
    text.beginObject()
    writeOwnWords(to: &text, source, level)
    if let body, try form.isContainer(body), !attributes.has("body") {
      text.name("body")
      try form.write(body, to: &text, depth: 0)
    }
    for pair in attributes.pairs {
      text.name(repaired: pair.name)
      try form.write(pair.value, to: &text, depth: 0)
    }
    text.endObject()
  }

  private var level: String? {
    if let known = LevelName(severity, of: .openTelemetry) { return known.rawValue }
    return severityText.isEmpty ? nil : LevelName(severityText)?.rawValue ?? severityText
  }

  /// The body; a text as it is, a number or word as text. Of maps and lists none, but the event: their copy
  /// as text would not be masked by names.
  private func writeMessage(to text: inout JSONWriter, _ form: Form) throws(PushFault) {
    guard let body, try !form.isContainer(body) else { return text.value(repaired: event) }
    if try form.isText(body) { return try form.write(body, to: &text, depth: 0) }
    var json = JSONWriter(capacity: 256)
    try form.write(body, to: &json, depth: 0)
    text.value(repaired: json.takeBytes().span)
  }

  /// What is said of the record beside its attributes, which go before what we call so.
  private func writeOwnWords(to text: inout JSONWriter, _ source: OTLPSource, _ level: String?) {
    if source.scopeNames.allSatisfy({ !attributes.has($0) }) { text.members(source.scope) }
    if !severityText.isEmpty, level.map({ !$0.hasBytes(of: severityText) }) ?? true {
      member("severity_text", of: severityText, to: &text)
    }
    if severity != 0, !attributes.has("severity_number") {
      text.name("severity_number")
      text.value(severity)
    }
    if !event.isEmpty { member("event_name", of: event, to: &text) }
    if flags & 0xFF != 0, !attributes.has("flags") {
      text.name("flags")
      text.value(Int64(flags & 0xFF))
    }
    if observed != 0, time != 0, observed != time, observed <= Int64.max,
      !attributes.has("observed_timestamp")
    {
      text.name("observed_timestamp")
      text.value(time: Int64(observed))
    }
  }

  private func member(_ name: StaticString, of value: String, to text: inout JSONWriter) {
    if attributes.has(name.description) { return }
    text.name(name)
    text.value(repaired: value)
  }
}

extension OTLPSource {
  private static let envNames = [
    "deployment.environment.name", "deployment.environment", "service.environment", "env", "environment",
  ]

  /// - Throws: `.badRecord`: as ``OTLPValues/write(_:to:depth:)``.
  mutating func begin<Form: OTLPValues>(
    resource attributes: NamedValues<Form.Value>, _ form: Form
  ) throws(PushFault) {
    resource = []
    guard !attributes.isCut else { throw .badRecord("more than \(form.namesMax) attributes of a resource") }
    guard !attributes.pairs.isEmpty else { return }
    var text = JSONWriter(capacity: 512)
    if let value = attributes["service.name"], let service = try form.text(value) {
      text.name("service")
      text.value(repaired: service)
    }
    for name in OTLPSource.envNames {
      guard let value = attributes[name], let env = try form.text(value) else { continue }
      text.name("env")
      text.value(repaired: env)
      break
    }
    text.name("labels")
    text.beginObject()
    try OTLPSource.write(attributes, to: &text, form)
    text.endObject()
    resource = text.takeBytes()
  }

  /// - Throws: As ``begin(resource:_:)``.
  mutating func begin<Form: OTLPValues>(
    scope name: String, version: String, _ attributes: NamedValues<Form.Value>, _ form: Form
  ) throws(PushFault) {
    (scope, scopeNames) = ([], [])
    guard !attributes.isCut else { throw .badRecord("more than \(form.namesMax) attributes of a scope") }
    var text = JSONWriter(capacity: 256)
    for (key, value) in [("scope_name", name), ("scope_version", version)] where !value.isEmpty {
      text.name(text: key)
      text.value(repaired: value)
      scopeNames.append(key)
    }
    if !attributes.pairs.isEmpty {
      text.name("scope_attributes")
      text.beginObject()
      try OTLPSource.write(attributes, to: &text, form)
      text.endObject()
      scopeNames.append("scope_attributes")
    }
    scope = text.takeBytes()
  }

  private static func write<Form: OTLPValues>(
    _ attributes: NamedValues<Form.Value>, to text: inout JSONWriter, _ form: Form
  ) throws(PushFault) {
    for pair in attributes.pairs {
      text.name(repaired: pair.name)
      try form.write(pair.value, to: &text, depth: 0)
    }
  }
}

extension JSONWriter {
  /// A double as ``OTLPValues/write(_:to:depth:)`` has it.
  mutating func value(otlp number: Double) {
    if number.isFinite {
      value(float64: number)
    } else {
      value(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
    }
  }
}
