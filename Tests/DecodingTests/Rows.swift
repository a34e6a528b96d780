import Codecs
import Decoding
import Masking
import Records

/// A cell as text: `null`, or the value; times as integers.
func cell(_ column: Column, _ row: Int) -> String {
  guard column.isValid(row) else { return "null" }
  switch column.type {
  case .utf8, .json:
    return column.withText { offsets, bytes in
      let range = Int(offsets[row])..<Int(offsets[row + 1])
      return String(decoding: range.map { bytes[$0] }, as: UTF8.self)
    }
  case .int64, .timestamp: return column.withInt64 { "\($0[row])" }
  case .float64: return column.withFloat64 { "\($0[row])" }
  case .bool: return column.withBits { $0[row >> 3] >> UInt8(row & 7) & 1 == 1 ? "true" : "false" }
  case .uuid: return "uuid"
  }
}

/// The decoded body as one dictionary a row, nulls left out.
func rows(_ body: DecodedBody) -> [[String: String]] {
  guard let batch = body.batch else { return [] }
  return (0..<batch.rowCount).map { row in
    var cells: [String: String] = [:]
    for (field, column) in zip(batch.fields, batch.columns) where column.isValid(row) {
      cells[field.name] = cell(column, row)
    }
    return cells
  }
}

let now: Int64 = 1_700_000_000_000_000_000

func decoder(
  _ dataset: Dataset = .logs, mask: [String] = [], _ change: (inout DecodingLimits) -> Void = { _ in }
) -> RecordDecoder {
  var limits = DecodingLimits()
  change(&limits)
  return RecordDecoder(
    schema: dataset.schema, masking: keysPlan(masking: mask, for: dataset), limits: limits)
}

/// Hides values by these names alone.
func keysPlan(masking keys: [String], for dataset: Dataset) -> MaskingPlan {
  var rules = keys.isEmpty ? MaskingRules.off : MaskingRules()
  rules.baselineKeys = keys
  rules.partialRules = []
  rules.heuristics = .off
  rules.detectors = []
  return MaskingPlan(rules, for: dataset.schema)
}

func decode(
  _ text: String, _ decoder: RecordDecoder = decoder(), format: BodyFormat = .detect,
  onError: ErrorMode = .reject
) throws -> [[String: String]] {
  try rows(decoder.decode(Array(text.utf8), format: format, onError: onError, now: now))
}

/// The error that refuses `body`, or nil if it is accepted.
func refusal(
  _ body: [UInt8], _ decoder: RecordDecoder = decoder(), format: BodyFormat = .detect
) -> DecodingError? {
  do {
    _ = try decoder.decode(body, format: format, now: now)
    return nil
  } catch {
    return error
  }
}

func refusal(
  _ text: String, _ decoder: RecordDecoder = decoder(), format: BodyFormat = .detect
) -> DecodingError? {
  refusal(Array(text.utf8), decoder, format: format)
}
