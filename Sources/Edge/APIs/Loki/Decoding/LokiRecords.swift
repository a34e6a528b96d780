import Codecs
import Decoding
import Records

/// Entries of a push as records of the dataset `logs`. What all entries of a stream have in common is written
/// once and copied.
struct LokiRecords: ~Copyable {
  var lines: RecordLines
  /// Of the stream at hand: what its labels say, members and commas.
  private var shared: [UInt8] = []
  private var labels = LokiLabels()

  init(memory: DecodingMemory) { lines = RecordLines(memory: memory) }

  /// Entries that follow have these labels.
  mutating func begin(_ labels: LokiLabels) {
    self.labels = labels
    guard !labels.pairs.isEmpty else {
      shared = []
      return
    }
    var members = JSONWriter(capacity: 256)
    LokiRecords.write("service", labels.service, to: &members)
    LokiRecords.write("env", labels.env, to: &members)
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
    var metadata = LokiLabels()
  }

  /// Appends an entry of `body`.
  mutating func append(_ entry: Entry, of body: [UInt8]) throws(PushFault) {
    let (metadata, labels, shared) = (entry.metadata, labels, shared)
    let metadataBytes = metadata.pairs.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 8 }
    try lines.append(
      // A control character takes six bytes, a byte that is no UTF-8 three.
      bytesMax: entry.line.count * (entry.isQuoted ? 1 : 6) + shared.count + metadataBytes * 12 + 256
    ) { text throws(PushFault) in
      text.name("timestamp")
      text.value(time: entry.time)
      text.name("message")
      if entry.isQuoted {
        text.value(written: body.span.extracting(entry.line))
      } else {
        text.value(repaired: body.span.extracting(entry.line))
      }
      LokiRecords.write("level", metadata.level ?? labels.level, to: &text)
      LokiRecords.write("trace_id", metadata.traceID ?? labels.traceID, to: &text)
      LokiRecords.write("span_id", metadata.spanID ?? labels.spanID, to: &text)
      text.members(shared)
      text.name("metadata")
      LokiRecords.write(metadata.pairs, to: &text)
    }
  }

  private static func write(_ name: StaticString, _ value: String?, to text: inout JSONWriter) {
    guard let value else { return }
    text.name(name)
    text.value(value.withoutNUL)
  }

  private static func write(_ pairs: [LokiLabels.Pair], to text: inout JSONWriter) {
    text.beginObject()
    for pair in pairs {
      text.name(text: pair.name.withoutNUL)
      text.value(pair.value.withoutNUL)
    }
    text.endObject()
  }
}
