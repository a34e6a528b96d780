import Codecs
import Matching
import Records

extension Column {
  /// Rows without a value.
  var missingCount: Int {
    guard validity != nil else { return 0 }
    return rowCount - withValidity { Selection(rowCount: rowCount, validity: $0) }.count
  }

  /// The bytes of a row's text; nil: it has none. Of a dictionary's column it costs all rows: make it plain
  /// first.
  func textBytes(at row: Int) -> [UInt8]? {
    guard isValid(row) else { return nil }
    return plainText().withText { offsets, bytes in
      var text: [UInt8] = []
      text.append(copying: bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1])))
      return text
    }
  }

  /// As ``textBytes(at:)``.
  func text(at row: Int) -> String? { textBytes(at: row).map { String(decoding: $0, as: UTF8.self) } }

  /// A number of a row, as JSON writes it; nil: there is none.
  func number(at row: Int) -> String? {
    guard isValid(row) else { return nil }
    switch type {
    case .int64: return withInt64 { "\($0[row])" }
    case .float64:
      return withFloat64 { $0[row].isFinite ? JSONTree.float64($0[row]).text : nil }
    case .json, .utf8: return text(at: row)
    case .timestamp, .uuid, .bool: return nil
    }
  }
}
