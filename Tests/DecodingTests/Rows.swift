import Decoding
import Masking
import Records
import TestKit

/// The decoded body as one dictionary a row, nulls left out.
func rows(_ body: DecodedBody) -> [[String: String]] { body.batch?.cells ?? [] }

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
