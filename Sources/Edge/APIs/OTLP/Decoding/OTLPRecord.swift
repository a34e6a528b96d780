import Codecs
import Decoding
import Records
import Shaping

/// A form of OTLP: what its values (`AnyValue`) are.
protocol OTLPValues {
  associatedtype Value

  /// The value if it is a text; nil: something else.
  func text(_ value: Value) throws(PushFault) -> String?

  /// Writes the value as JSON: bytes in base64, what no number in JSON is as a text.
  ///
  /// - Returns: How many levels of lists it has; nil: more than ``OTLPRecord/depthMax``, and what was written
  ///   is worth nothing.
  func write(_ value: Value, to text: inout JSONWriter, depth: Int) throws(PushFault) -> Bool

  /// Whether it is a list of names and values.
  func isObject(_ value: Value) throws(PushFault) -> Bool

  /// Bytes that it takes as it was sent, about.
  func byteCount(_ value: Value) -> Int
}

/// Names with values, of equal ones the last.
struct OTLPAttributes<Value> {
  /// Above it a set is faster than looking at all.
  private static var listedMax: Int { 16 }

  private(set) var pairs: [(name: String, value: Value)] = []
  /// All names, once there are many.
  private var names: Set<Name> = []

  mutating func add(_ name: String, _ value: Value) {
    if has(name) { pairs.removeAll { $0.name.hasBytes(of: name) } }
    pairs.append((name, value))
    if pairs.count == Self.listedMax + 1 {
      names = Set(pairs.map { Name($0.name) })
    } else if pairs.count > Self.listedMax {
      names.insert(Name(name))
    }
  }

  func has(_ name: String) -> Bool {
    pairs.count > Self.listedMax
      ? names.contains(Name(name)) : pairs.contains { $0.name.hasBytes(of: name) }
  }

  subscript(name: String) -> Value? { pairs.first { $0.name.hasBytes(of: name) }?.value }
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
  var attributes = OTLPAttributes<Form.Value>()
  var flags: UInt64 = 0
  /// In hexadecimal; empty: none.
  var trace = ""
  var span = ""
  var event = ""

  /// Appends it to `lines`, or leaves it out there.
  func append(
    to lines: inout RecordLines, _ source: OTLPSource, _ form: Form
  ) throws(PushFault) {
    let moment = time == 0 ? observed : time
    guard moment <= Int64.max else { return lines.refuse("a time that is not before 2262-04-11") }
    var bytes =
      source.resource.count + source.scope.count + severityText.utf8.count * 6 + event.utf8.count * 12
    // A control character takes six bytes; a body may stand twice, and be a text within a text.
    if let body { bytes += form.byteCount(body) * 18 }
    for pair in attributes.pairs { bytes += pair.name.utf8.count * 6 + form.byteCount(pair.value) * 6 + 64 }
    var isTooDeep = false
    var metadata = JSONWriter(capacity: 512)
    try writeMetadata(to: &metadata, source, form, &isTooDeep)
    var message = JSONWriter(capacity: 256)
    try writeMessage(to: &message, form, &isTooDeep)
    if isTooDeep { return lines.refuse("lists in lists, more than \(Self.depthMax) levels") }
    let (own, line) = (metadata.takeBytes(), message.takeBytes())
    try lines.append(bytesMax: bytes + 1_024) { text throws(PushFault) in
      if moment > 0 {
        text.name("timestamp")
        text.value(time: Int64(moment))
      }
      text.name("message")
      text.value(written: line.span)
      if let level {
        text.name("level")
        text.value(level)
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
      text.value(written: own.span)
    }
  }

  private var level: String? {
    if let known = LevelName(severity, of: .openTelemetry) { return known.rawValue }
    return severityText.isEmpty ? nil : LevelName(severityText)?.rawValue ?? severityText.withoutNUL
  }

  /// The body; a text as it is, anything else as JSON.
  private func writeMessage(
    to text: inout JSONWriter, _ form: Form, _ isTooDeep: inout Bool
  ) throws(PushFault) {
    guard let body else { return text.value(event.withoutNUL) }
    if let words = try form.text(body) { return text.value(words.withoutNUL) }
    var json = JSONWriter(capacity: 256)
    if try !form.write(body, to: &json, depth: 0) { isTooDeep = true }
    text.value(repaired: json.takeBytes().span)
  }

  private func writeMetadata(
    to text: inout JSONWriter, _ source: OTLPSource, _ form: Form, _ isTooDeep: inout Bool
  ) throws(PushFault) {
    text.beginObject()
    // What the record says itself goes before what we call so.
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
    if let body, try form.isObject(body), !attributes.has("body") {
      text.name("body")
      if try !form.write(body, to: &text, depth: 0) { isTooDeep = true }
    }
    for pair in attributes.pairs where !isTooDeep {
      text.name(text: pair.name.withoutNUL)
      if try !form.write(pair.value, to: &text, depth: 0) { isTooDeep = true }
    }
    text.endObject()
  }

  private func member(_ name: StaticString, of value: String, to text: inout JSONWriter) {
    if attributes.has(name.description) { return }
    text.name(name)
    text.value(value.withoutNUL)
  }
}

extension OTLPSource {
  private static let envNames = [
    "deployment.environment.name", "deployment.environment", "service.environment", "env", "environment",
  ]

  /// - Throws: `.malformed`: lists in lists, too many levels.
  mutating func begin<Form: OTLPValues>(
    resource attributes: OTLPAttributes<Form.Value>, _ form: Form
  ) throws(PushFault) {
    resource = []
    guard !attributes.pairs.isEmpty else { return }
    var text = JSONWriter(capacity: 512)
    if let value = attributes["service.name"], let service = try form.text(value) {
      text.name("service")
      text.value(service.withoutNUL)
    }
    for name in OTLPSource.envNames {
      guard let value = attributes[name], let env = try form.text(value) else { continue }
      text.name("env")
      text.value(env.withoutNUL)
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
    scope name: String, version: String, _ attributes: OTLPAttributes<Form.Value>, _ form: Form
  ) throws(PushFault) {
    (scope, scopeNames) = ([], [])
    var text = JSONWriter(capacity: 256)
    for (key, value) in [("scope_name", name), ("scope_version", version)] where !value.isEmpty {
      text.name(text: key)
      text.value(value.withoutNUL)
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
    _ attributes: OTLPAttributes<Form.Value>, to text: inout JSONWriter, _ form: Form
  ) throws(PushFault) {
    for pair in attributes.pairs {
      text.name(text: pair.name.withoutNUL)
      guard try form.write(pair.value, to: &text, depth: 0) else {
        throw .malformed("lists in lists, more than \(OTLPRecord<Form>.depthMax) levels")
      }
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
