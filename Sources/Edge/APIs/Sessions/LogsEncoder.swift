import Codecs
import Encoding
import Records
import Routing

/// The JSON answer of `GET /api/logs/{container}/{session}`, as it is made: `logs` comes before the totals.
final class LogsEncoder: BatchEncoder {
  /// How rows look in this API.
  static let style: RecordStyle = {
    var style = RecordStyle()
    style.writesNulls = true
    style.times = .microsecondsWithOffset
    return style
  }()

  private let request: LogsRequest
  private let fileCount: Int
  private let records: RecordWriter
  private var writer = JSONWriter(capacity: 1 << 16)
  private var rowCount = 0

  /// - Parameter fields: `timestamp`, `level`, `message`: container and session are the same in every row.
  init(_ request: LogsRequest, fileCount: Int, fields: [Field]) {
    self.request = request
    self.fileCount = fileCount
    var style = LogsEncoder.style
    style.tail = LogsEncoder.members(["container": request.container, "session": request.session])
    records = RecordWriter(fields: fields, style: style)
  }

  private static func members(_ members: KeyValuePairs<String, String>) -> [UInt8] {
    var writer = JSONWriter(capacity: 256)
    for (name, value) in members {
      writer.append(raw: ",")
      writer.appendString(name)
      writer.append(raw: ":")
      writer.appendString(value)
    }
    return writer.takeBytes()
  }

  func begin() -> [UInt8] {
    writer.append(raw: "{\"container\":")
    writer.appendString(request.container)
    writer.append(raw: ",\"session\":")
    writer.appendString(request.session)
    if !request.isStreamed {
      writer.append(raw: ",\"filter\":{\"start_ts\":")
      append(request.start)
      writer.append(raw: ",\"end_ts\":")
      append(request.end)
      writer.append(raw: "}")
    }
    writer.append(raw: ",\"logs\":[")
    return writer.takeBytes()
  }

  func encode(_ batch: RecordBatch) -> [UInt8] {
    records.appendObjects(
      batch, separator: UInt8(ascii: ","), isFirst: rowCount == 0, terminator: nil, to: &writer)
    rowCount += batch.rowCount
    return writer.takeBytes()
  }

  func end(cursor: String?) -> [UInt8] {
    writer.append(raw: "],\"files_scanned\":")
    writer.appendInt64(Int64(fileCount))
    if !request.isStreamed {
      writer.append(raw: ",\"total_rows\":")
      writer.appendInt64(Int64(rowCount))
    }
    if let cursor {
      writer.append(raw: ",\"cursor\":")
      writer.appendString(cursor)
    }
    writer.append(raw: "}\n")
    return writer.takeBytes()
  }

  private func append(_ text: String?) {
    if let text { writer.appendString(text) } else { writer.appendNull() }
  }
}
