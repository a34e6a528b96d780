import Access
import Codecs
import Records
import Routing
import Tailing

/// Records as messages of a live stream: an object each, in a text frame or as an event whose id the client
/// can come back with.
struct RecordShape: LiveShape {
  let name: String
  let columns: [String]
  private let form: LiveForm
  private let writer: RecordWriter
  private let marks: LiveMarks

  /// - Parameters:
  ///   - name: Tells apart what writes records differently, among all streams of a partition.
  ///   - names: Members that are not called as their columns.
  init(
    _ name: String, form: LiveForm, dataset: Dataset, columns: [String], names: [String: String] = [:],
    style: RecordStyle, marks: LiveMarks
  ) {
    self.name = "\(name).\(form.rawValue)"
    self.form = form
    self.columns = columns
    self.marks = marks
    let fields = columns.compactMap { dataset.schema.field($0) }
    writer = RecordWriter(
      fields: fields.map { Field(names[$0.name] ?? $0.name, $0.type, isNullable: true) }, style: style)
  }

  func encode(_ batch: RecordBatch, into bytes: inout [UInt8], ends: inout [Int]) {
    // JSON text has no line end within, so one behind each object tells where it ends.
    let lineEnd: UInt8 = 10
    var json = JSONWriter(capacity: batch.rowCount * 256)
    let cells = columns.compactMap { batch.column($0) }
    invariant(cells.count == columns.count, "the batch has the shape's columns")
    writer.appendObjects(
      RecordBatch(fields: fields(batch), columns: cells, rowCount: batch.rowCount), separator: nil,
      isFirst: true, terminator: lineEnd, to: &json)
    let text = json.takeBytes()
    guard let positions = batch.column("position") else { bug("position is always there") }
    var start = 0
    positions.withInt64 { positions in
      for row in 0..<batch.rowCount {
        guard let end = text[start...].firstIndex(of: lineEnd) else {
          bug("each object ends in a line end")
        }
        append(text[start..<end], position: positions[row], to: &bytes)
        ends.append(bytes.count)
        start = end + 1
      }
    }
  }

  private func fields(_ batch: RecordBatch) -> [Field] {
    columns.compactMap { name in batch.fields.first { $0.name == name } }
  }

  private func append(_ object: ArraySlice<UInt8>, position: Int64, to bytes: inout [UInt8]) {
    switch form {
    case .webSocket: WebSocketFrames.appendText(object, to: &bytes)
    case .events:
      bytes += Array("id: ".utf8)
      bytes += Array(marks.text(for: position + 1).utf8)
      bytes += Array("\ndata: ".utf8)
      bytes += object
      bytes += [10, 10]
    }
  }
}

/// Where a client was in a partition, as text that only we can make: the ids of Server-Sent Events.
struct LiveMarks: Sendable {
  private let seal: CursorSeal
  private let scope: String

  init(_ seal: CursorSeal, of partition: Partition) {
    self.seal = seal
    scope = "live \(partition.tenant) \(partition.dataset.name)"
  }

  /// - Parameter position: The first that the client has not seen.
  func text(for position: Int64) -> String { seal.seal(String(position), scope: scope) }

  /// nil: no mark of ours, or of another partition.
  func position(of text: String) -> Int64? {
    seal.open(text, scope: scope).flatMap { Int64($0) }.flatMap { $0 >= 0 ? $0 : nil }
  }
}
