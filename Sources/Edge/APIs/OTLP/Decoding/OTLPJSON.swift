import Codecs
import Decoding
import Records

/// Reads `ExportLogsServiceRequest` in OTLP's JSON: members in lower camel case, numbers of 64 bits as texts
/// or numbers, ids in hexadecimal. Members of other names are passed over.
struct OTLPJSON: OTLPValues {
  /// An `AnyValue`.
  typealias Value = JSONTree

  private let body: [UInt8]
  let namesMax: Int

  init(_ body: [UInt8], namesMax: Int) {
    self.body = body
    self.namesMax = namesMax
  }

  func read(into lines: inout RecordLines, within memory: DecodingMemory) throws(PushFault) {
    var reader = JSONReader(body, isLenient: true)
    let treeBytes: Int
    do throws(JSONTree.SyntaxError) { treeBytes = try reader.measure().treeBytes } catch {
      throw OTLPJSON.fault(error)
    }
    do throws(EntryHindrance) { try memory.take(treeBytes) } catch {
      if case .shortage(.lasting) = error { throw .tooLarge }
      throw .busy
    }
    defer { memory.give(treeBytes) }
    let tree: JSONTree
    do throws(JSONTree.SyntaxError) {
      tree = try reader.value()
      try reader.end()
    } catch { throw OTLPJSON.fault(error) }
    guard case .object(let members) = tree else { throw .malformed("the body must be a JSON object") }
    // Others may stand beside it, but not in its place.
    guard members.isEmpty || tree["resourceLogs"] != nil else {
      throw .malformed("there is no resourceLogs: this is no export of logs in OTLP's JSON")
    }
    for resource in try list("resourceLogs", of: tree) { try readResource(resource, into: &lines) }
  }

  private static func fault(_ error: JSONTree.SyntaxError) -> PushFault {
    .malformed("not JSON: at byte \(error.offsetBytes): \(error.reason)")
  }

  private func readResource(_ tree: JSONTree, into lines: inout RecordLines) throws(PushFault) {
    var source = OTLPSource()
    try source.begin(resource: try attributes(of: tree["resource"]), self)
    for scope in try list("scopeLogs", of: tree) {
      let about = scope["scope"]
      try source.begin(
        scope: try string("name", of: about), version: try string("version", of: about),
        try attributes(of: about), self)
      for record in try list("logRecords", of: scope) {
        try self.record(record).append(to: &lines, source, self)
      }
    }
  }

  private func record(_ tree: JSONTree) throws(PushFault) -> OTLPRecord<OTLPJSON> {
    var record = OTLPRecord(self)
    record.time = try number("timeUnixNano", of: tree)
    record.observed = try number("observedTimeUnixNano", of: tree)
    record.severity = Int64(truncatingIfNeeded: try number("severityNumber", of: tree))
    record.severityText = try string("severityText", of: tree)
    switch tree["body"] {
    case nil, .null?: break
    case .object(let members)?: record.body = .object(members)
    default: throw .malformed("body must be an object, as {\"stringValue\":\"text\"}")
    }
    record.attributes = try attributes(of: tree)
    record.flags = try number("flags", of: tree)
    record.trace = OTLPJSON.id(try string("traceId", of: tree))
    record.span = OTLPJSON.id(try string("spanId", of: tree))
    record.event = try string("eventName", of: tree)
    return record
  }

  /// In lower case; empty for zeros alone, which mean none.
  private static func id(_ text: String) -> String {
    guard let bytes = Hex.bytes(text), bytes.contains(where: { $0 != 0 }) else { return "" }
    return Hex.text(bytes)
  }

  // MARK: Values

  private func attributes(of tree: JSONTree?) throws(PushFault) -> NamedValues<JSONTree> {
    var attributes = NamedValues<JSONTree>(countMax: namesMax)
    guard let tree else { return attributes }
    for pair in try list("attributes", of: tree) {
      attributes.set(try string("key", of: pair).withoutNUL, pair["value"] ?? .null)
    }
    return attributes
  }

  func text(_ value: JSONTree) throws(PushFault) -> String? {
    guard case .string(let text)? = value["stringValue"] else { return nil }
    return text
  }

  func isText(_ value: JSONTree) throws(PushFault) -> Bool {
    if case .string? = value["stringValue"] { true } else { false }
  }

  func isContainer(_ value: JSONTree) throws(PushFault) -> Bool {
    value["kvlistValue"] != nil || value["arrayValue"] != nil
  }

  func byteCount(_ value: JSONTree) -> Int {
    switch value {
    case .null, .bool, .int64, .float64: 24
    case .number(let text), .string(let text): text.utf8.count + 24
    case .array(let elements): elements.reduce(24) { $0 + byteCount($1) }
    case .object(let members): members.reduce(24) { $0 + $1.name.utf8.count + byteCount($1.value) }
    }
  }

  func write(_ value: JSONTree, to text: inout JSONWriter, depth: Int) throws(PushFault) {
    guard depth <= OTLPRecord<OTLPJSON>.depthMax else { throw .tooDeep }
    guard case .object(let members) = value, let chosen = members.last else {
      return text.null()
    }
    switch (chosen.name, chosen.value) {
    case ("stringValue", .string(let words)), ("bytesValue", .string(let words)):
      text.value(repaired: words)
    case ("boolValue", .bool(let flag)): text.value(flag)
    case ("intValue", _): text.value(try OTLPJSON.integer(chosen.value, "intValue"))
    case ("doubleValue", .string(let words)): text.value(otlp: Double(words) ?? .nan)
    case ("doubleValue", let number): text.value(otlp: OTLPJSON.double(number))
    case ("arrayValue", let list):
      text.beginArray()
      for element in try self.list("values", of: list) {
        try write(element, to: &text, depth: depth + 1)
      }
      text.endArray()
    case ("kvlistValue", let list):
      var pairs = NamedValues<JSONTree>(countMax: namesMax)
      for pair in try self.list("values", of: list) {
        pairs.set(try string("key", of: pair).withoutNUL, pair["value"] ?? .null)
      }
      guard !pairs.isCut else { throw .badRecord("a list of more than \(namesMax) names") }
      text.beginObject()
      for pair in pairs.pairs {
        text.name(repaired: pair.name)
        try write(pair.value, to: &text, depth: depth + 1)
      }
      text.endObject()
    default: text.null()
    }
  }

  private static func double(_ tree: JSONTree) -> Double {
    switch tree {
    case .int64(let number): Double(number)
    case .float64(let number): number
    case .number(let text): Double(text) ?? .nan
    case .null, .bool, .string, .array, .object: .nan
    }
  }

  // MARK: Members

  private static func integer(_ tree: JSONTree, _ name: StaticString) throws(PushFault) -> Int64 {
    switch tree {
    case .int64(let number): return number
    case .number(let text), .string(let text):
      if let number = Int64(text) { return number }
    case .null, .bool, .float64, .array, .object: break
    }
    throw .malformed("\(name) must be an integer")
  }

  /// 0: it is not there.
  private func number(_ name: StaticString, of tree: JSONTree) throws(PushFault) -> UInt64 {
    switch tree[name.description] {
    case nil, .null?: return 0
    case .string(let text)?, .number(let text)?:
      if let number = UInt64(text) { return number }
    case .int64(let number)?: if number >= 0 { return UInt64(number) }
    case .bool?, .float64?, .array?, .object?: break
    }
    throw .malformed("\(name) must be a number, or a text of its digits")
  }

  /// Empty: it is not there.
  private func string(_ name: StaticString, of tree: JSONTree?) throws(PushFault) -> String {
    switch tree?[name.description] {
    case nil, .null?: return ""
    case .string(let text)?: return text
    default: throw .malformed("\(name) must be a text")
    }
  }

  private func list(_ name: StaticString, of tree: JSONTree) throws(PushFault) -> [JSONTree] {
    switch tree[name.description] {
    case nil, .null?: return []
    case .array(let elements)?: return elements
    default: throw .malformed("\(name) must be an array")
    }
  }
}
