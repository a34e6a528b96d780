import Codecs
import Decoding
import Records

/// Reads `logproto.PushRequest`: `1 streams* { 1 labels, 2 entries* { 1 time { 1 seconds, 2 nanos }, 2 line,
/// 3 structured metadata* { 1 name, 2 value } } }`. Fields of other numbers are passed over.
struct LokiMessage {
  private let body: [UInt8]

  init(_ body: [UInt8]) { self.body = body }

  func read(into records: inout LokiRecords) throws(PushFault) {
    var hasStreams = false
    var request = ProtobufReader(0..<body.count)
    while let (field, value) = try next(&request) {
      guard field == 1, case .bytes(let stream) = value else { continue }
      hasStreams = true
      try readStream(stream, into: &records)
    }
    guard hasStreams else { throw .empty }
  }

  private func readStream(_ stream: Range<Int>, into records: inout LokiRecords) throws(PushFault) {
    var text = 0..<0
    // Labels may stand behind the entries.
    var reader = ProtobufReader(stream)
    while let (field, value) = try next(&reader) {
      if field == 1, case .bytes(let range) = value { text = range }
    }
    let (span, most) = (body.span.extracting(text), records.pairsMax)
    let labels = text.isEmpty ? LokiLabels(countMax: 0) : LokiLabels(span, countMax: most)
    if let labels { try records.begin(labels) }
    reader = ProtobufReader(stream)
    while let (field, value) = try next(&reader) {
      guard field == 2, case .bytes(let entry) = value else { continue }
      if labels == nil {
        try records.lines.refuse("labels that are none, as {name=\"value\"}")
      } else {
        try readEntry(entry, into: &records)
      }
    }
  }

  private func readEntry(_ entry: Range<Int>, into records: inout LokiRecords) throws(PushFault) {
    var (seconds, nanos): (Int64, Int64) = (0, 0)
    var record = LokiRecords.Entry(isQuoted: false, metadata: LokiLabels(countMax: records.pairsMax))
    var reader = ProtobufReader(entry)
    while let (field, value) = try next(&reader) {
      guard case .bytes(let range) = value else { continue }
      switch field {
      case 1: (seconds, nanos) = try time(range)
      case 2: record.line = range
      case 3:
        let pair = try pair(range)
        record.metadata.add(pair.name, pair.value)
      default: break
      }
    }
    guard record.line.count <= records.lineBytesMax else {
      return try records.lines.refuse("the entry is larger than \(records.lineBytesMax) bytes")
    }
    let (whole, isBeyond) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (time, isOver) = whole.addingReportingOverflow(nanos)
    guard !isBeyond, !isOver else {
      return try records.lines.refuse("a time that is not between 1677-09-21 and 2262-04-11")
    }
    record.time = time
    try records.append(record, of: body)
  }

  private func time(_ range: Range<Int>) throws(PushFault) -> (seconds: Int64, nanos: Int64) {
    var time: (Int64, Int64) = (0, 0)
    var reader = ProtobufReader(range)
    while let (field, value) = try next(&reader) {
      guard case .varint(let number) = value else { continue }
      if field == 1 { time.0 = Int64(bitPattern: number) }
      // int32, negative ones in ten bytes.
      if field == 2 { time.1 = Int64(Int32(truncatingIfNeeded: number)) }
    }
    return time
  }

  private func pair(_ range: Range<Int>) throws(PushFault) -> (name: String, value: String) {
    var pair = (name: "", value: "")
    var reader = ProtobufReader(range)
    while let (field, value) = try next(&reader) {
      guard case .bytes(let text) = value, field == 1 || field == 2 else { continue }
      let part = String(repairing: body.span.extracting(text))
      if field == 1 { pair.name = part } else { pair.value = part }
    }
    return pair
  }

  private func next(
    _ reader: inout ProtobufReader
  ) throws(PushFault) -> (field: Int, value: ProtobufReader.Value)? {
    try reader.nextField(of: body, as: "push")
  }
}
