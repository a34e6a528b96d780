import Codecs
import Decoding
import Records

/// Entries of a push as records of the dataset `logs`. What all entries of a stream have in common is written
/// once and copied.
struct LokiRecords: ~Copyable {
  var lines: RecordLines
  /// Of the stream at hand: what its labels say, members and commas.
  private var shared: [UInt8] = []
  private var columns = LokiLabels.Columns()
  private var isCut = false
  /// Labels, and pairs of an entry, there may be.
  let pairsMax: Int
  /// Longer lines are left out.
  let lineBytesMax: Int

  init(memory: DecodingMemory, limits: DecodingLimits) {
    lines = RecordLines(memory: memory, recordsMax: limits.entriesMax)
    (pairsMax, lineBytesMax) = (limits.membersMax, limits.entryBytesMax)
  }

  /// Entries that follow have these labels.
  ///
  /// - Throws: `.tooLarge`: too many streams.
  mutating func begin(_ labels: LokiLabels) throws(PushFault) {
    try lines.beginGroup()
    isCut = labels.isCut
    columns = labels.columns()
    guard !labels.pairs.isEmpty else {
      shared = []
      return
    }
    var members = JSONWriter(capacity: 256)
    LokiRecords.write("service", columns.service, to: &members)
    LokiRecords.write("env", columns.env, to: &members)
    members.name("labels")
    LokiRecords.write(labels.pairs, to: &members)
    shared = members.takeBytes()
  }

  /// An entry of the stream at hand.
  struct Entry {
    /// Nanoseconds since 1970.
    var time: Int64 = 0
    /// Where the line lies in the body.
    var line = 0..<0
    /// Whether it is a JSON string there, with its quotes, which was checked; else it is bytes.
    var isQuoted: Bool
    /// The entry's own pairs; they go before the labels where both say the same.
    var metadata: LokiLabels
  }

  /// Appends an entry of `body`.
  mutating func append(_ entry: Entry, of body: [UInt8]) throws(PushFault) {
    let (metadata, columns, shared) = (entry.metadata, columns, shared)
    guard !metadata.isCut, !isCut else {
      return try lines.refuse("more than \(pairsMax) labels, or pairs of structured metadata")
    }
    let own = metadata.columns()
    let metadataBytes = metadata.pairs.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 8 }
    try lines.append(
      // A control character takes six bytes, a byte that is no UTF-8 three.
      bytesMax: entry.line.count * (entry.isQuoted ? 1 : 6) + shared.count + metadataBytes * 12 + 256
    ) { text throws(PushFault) in
      text.name("timestamp")
      text.value(time: entry.time)
      text.name("message")
      if entry.isQuoted, !LokiRecords.mayHoldNUL(body[entry.line]) {
        text.value(written: body.span.extracting(entry.line))
      } else if entry.isQuoted {
        var line: [UInt8] = []
        let inside = entry.line.lowerBound + 1..<entry.line.upperBound - 1
        JSONScanner.appendUnescapedInside(body.span, inside, to: &line)
        text.value(repaired: line.span)
      } else {
        text.value(repaired: body.span.extracting(entry.line))
      }
      LokiRecords.write("level", own.level ?? columns.level, to: &text)
      LokiRecords.write("trace_id", own.traceID ?? columns.traceID, to: &text)
      LokiRecords.write("span_id", own.spanID ?? columns.spanID, to: &text)
      text.members(shared)
      text.name("metadata")
      LokiRecords.write(metadata.pairs, to: &text)
    }
  }

  /// Whether NUL may be escaped in a text: `u0000` behind a backslash, or behind two.
  private static func mayHoldNUL(_ quoted: ArraySlice<UInt8>) -> Bool {
    guard quoted.contains(UInt8(ascii: "\\")) else { return false }
    var zeros = 0
    for byte in quoted {
      zeros = byte == UInt8(ascii: "0") ? zeros + 1 : 0
      if zeros == 4 { return true }
    }
    return false
  }

  private static func write(_ name: StaticString, _ value: String?, to text: inout JSONWriter) {
    guard let value else { return }
    text.name(name)
    text.value(repaired: value)
  }

  private static func write(_ pairs: [(name: String, value: String)], to text: inout JSONWriter) {
    text.beginObject()
    for pair in pairs {
      text.name(repaired: pair.name)
      text.value(repaired: pair.value)
    }
    text.endObject()
  }
}
