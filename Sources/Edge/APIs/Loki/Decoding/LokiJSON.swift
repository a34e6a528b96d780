import Codecs
import Decoding
import Records

/// Reads `{"streams":[{"stream":{…},"values":[["nanoseconds","line",{…}?],…]},…]}`. Lines are copied as they
/// are written, escapes and all.
struct LokiJSON {
  private let body: [UInt8]

  init(_ body: [UInt8]) { self.body = body }

  func read(into records: inout LokiRecords) throws(PushFault) {
    // Of a name that comes twice the last counts, as for Loki.
    var reader = JSONReader(body, isLenient: true)
    var hasStreams = false
    guard reader.peek() == UInt8(ascii: "{") else { throw .malformed("the body must be a JSON object") }
    try step(&reader) { reader throws(JSONTree.SyntaxError) in try reader.open() }
    var names = JSONNames()
    while let name = try member(&reader, &names) {
      guard name.hasBytes(of: "streams") else {
        try step(&reader) { reader throws(JSONTree.SyntaxError) in try reader.skip() }
        continue
      }
      try array(&reader, "streams must be an array") { reader throws(PushFault) in
        hasStreams = true
        try readStream(&reader, into: &records)
      }
    }
    try step(&reader) { reader throws(JSONTree.SyntaxError) in try reader.end() }
    guard hasStreams else { throw .empty }
  }

  private func readStream(
    _ reader: inout JSONReader, into records: inout LokiRecords
  ) throws(PushFault) {
    guard reader.peek() == UInt8(ascii: "{") else { throw .malformed("a stream must be an object") }
    try step(&reader) { reader throws(JSONTree.SyntaxError) in try reader.open() }
    var names = JSONNames()
    // Where the values begin, if they come before the labels.
    var waiting: JSONReader?
    var (hasLabels, hasValues) = (false, false)
    while let name = try member(&reader, &names) {
      if name.hasBytes(of: "values") { hasValues = true }
      if name.hasBytes(of: "stream") {
        try records.begin(pairs(&reader, records.pairsMax, "stream: labels are texts"))
        hasLabels = true
      } else if name.hasBytes(of: "values"), hasLabels {
        try readValues(&reader, into: &records)
      } else {
        if name.hasBytes(of: "values") { waiting = reader }
        try step(&reader) { reader throws(JSONTree.SyntaxError) in try reader.skip() }
      }
    }
    guard hasValues else { throw .malformed("a stream without values") }
    guard var waiting else { return }
    if !hasLabels { try records.begin(LokiLabels(countMax: 0)) }
    try readValues(&waiting, into: &records)
  }

  private func readValues(
    _ reader: inout JSONReader, into records: inout LokiRecords
  ) throws(PushFault) {
    try array(&reader, "values must be an array") { reader throws(PushFault) in
      var place = 0
      var entry = LokiRecords.Entry(isQuoted: true, metadata: LokiLabels(countMax: records.pairsMax))
      try array(&reader, "a value must be an array of time and line") { reader throws(PushFault) in
        switch place {
        case 0: entry.time = try readTime(&reader)
        case 1:
          guard reader.peek() == UInt8(ascii: "\"") else { throw .malformed("a line must be a text") }
          let start = reader.at
          try step(&reader) { reader throws(JSONTree.SyntaxError) in try reader.skip() }
          entry.line = start..<reader.at
        case 2:
          entry.metadata = try pairs(
            &reader, records.pairsMax, "structured metadata must be an object of texts")
        default: throw .malformed("a value has a time, a line and structured metadata at most")
        }
        place += 1
      }
      guard place >= 2 else { throw .malformed("a value must be an array of time and line") }
      try records.append(entry, of: body)
    }
  }

  private func readTime(_ reader: inout JSONReader) throws(PushFault) -> Int64 {
    let value = try step(&reader) { reader throws(JSONTree.SyntaxError) in try reader.scalar() }
    guard case .string(let text) = value, let time = Int64(text) else {
      throw .malformed("a time must be a text of nanoseconds since 1970")
    }
    return time
  }

  private func pairs(
    _ reader: inout JSONReader, _ countMax: Int, _ fault: String
  ) throws(PushFault) -> LokiLabels {
    guard reader.peek() == UInt8(ascii: "{") else { throw .malformed(fault) }
    try step(&reader) { reader throws(JSONTree.SyntaxError) in try reader.open() }
    var labels = LokiLabels(countMax: countMax)
    var names = JSONNames()
    while let name = try member(&reader, &names) {
      let value = try step(&reader) { reader throws(JSONTree.SyntaxError) in try reader.scalar() }
      guard case .string(let text) = value else { throw .malformed(fault) }
      labels.add(name, text)
    }
    return labels
  }

  // MARK: Walking

  private func array(
    _ reader: inout JSONReader, _ fault: String, _ element: (inout JSONReader) throws(PushFault) -> Void
  ) throws(PushFault) {
    guard reader.peek() == UInt8(ascii: "[") else { throw .malformed(fault) }
    try step(&reader) { reader throws(JSONTree.SyntaxError) in try reader.open() }
    var isFirst = true
    while try step(
      &reader, { reader throws(JSONTree.SyntaxError) in try reader.hasElement(isFirst: isFirst) })
    {
      isFirst = false
      try element(&reader)
    }
  }

  private func member(_ reader: inout JSONReader, _ names: inout JSONNames) throws(PushFault) -> String? {
    do throws(JSONTree.SyntaxError) { return try reader.member(&names) } catch { throw LokiJSON.fault(error) }
  }

  private func step<Value>(
    _ reader: inout JSONReader, _ step: (inout JSONReader) throws(JSONTree.SyntaxError) -> Value
  ) throws(PushFault) -> Value {
    do throws(JSONTree.SyntaxError) { return try step(&reader) } catch { throw LokiJSON.fault(error) }
  }

  private static func fault(_ error: JSONTree.SyntaxError) -> PushFault {
    .malformed("not JSON: at byte \(error.offsetBytes): \(error.reason)")
  }
}
