import Codecs
import Decoding
import EntryDecoding
import Masking
import Records

// The ingest API's decoder and masking on any bytes: nothing traps, nothing is read out of bounds (address
// sanitizer), and
// - what the quick way takes the thorough one takes too, with the same columns, counts and key;
// - a text that was masked and is masked again stays as it is;
// - the filter for detectors skips no byte that a search from there would find.
// The first byte chooses limits and masking; the rest is the body.

private let plans: [MaskingPlan] = {
  var tight = MaskingRules()
  tight.operationsMax = 2
  var odd = MaskingRules()
  odd.baselineKeys = ["m", "env"]
  odd.partialRules = [.init("a", .keepPrefix(1)), .init("e", .maskEmail), .init("t", .keepSuffix(2))]
  odd.heuristics = .substring
  return [MaskingRules.off, MaskingRules(), tight, odd].map { MaskingPlan($0, for: Dataset.logs.schema) }
}()

private let decoders: [IngestDecoder] = {
  var tight = IngestLimits()
  tight.entriesMax = 2
  tight.entryBytesMax = 256
  tight.batchBytesMax = 400
  tight.membersMax = 8
  tight.keyBytesMax = 16
  return [IngestDecoder(), IngestDecoder(limits: tight)]
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzIngest(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 1 else { return 0 }
  // An allocation of exactly this size, so that reading one byte too far is seen.
  let body = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
  let plan = plans[Int(start[0]) % plans.count]
  let decoder = decoders[Int(start[0]) / plans.count % decoders.count]
  let quick = decoder.scan(body, masking: plan)
  do {
    let thorough = try decoder.readTree(body, masking: plan)
    if let quick { check(quick, thorough) }
  } catch {
    precondition(quick == nil, "what the quick way takes keeps the rules")
    precondition(!error.errors.isEmpty, "a refusal has a reason")
  }
  _ = try? plan.apply(toJSON: body)
  if UTF8Repair.isValid(body.span) { checkText(body, plan) }
  return 0
}

private func check(_ quick: IngestBatch, _ thorough: IngestBatch) {
  precondition(quick.entryCount == thorough.entryCount, "as many entries")
  precondition(quick.idempotencyKey == thorough.idempotencyKey, "the same key")
  precondition(quick.maskingFailedCount == thorough.maskingFailedCount, "the same failures")
  for (one, other) in zip(quick.records.columns, thorough.records.columns) {
    for row in 0..<quick.entryCount {
      precondition(one.isValid(row) == other.isValid(row), "null alike")
      guard one.isValid(row), one.type.isText else { continue }
      precondition(text(one, row) == text(other, row), "the same text")
    }
  }
}

private func text(_ column: Column, _ row: Int) -> [UInt8] {
  column.withText { offsets, bytes in (Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] } }
}

private func checkText(_ text: [UInt8], _ plan: MaskingPlan) {
  var at = 0
  while at < text.count {
    let next = TextCandidates.next(text.span, from: at)
    precondition(next >= at && next <= text.count, "a candidate lies ahead")
    at = next + 1
  }
  var record = RecordMasking(plan)
  let masked = record.column("trace_id", record.column("x", String(decoding: text, as: UTF8.self)))
  precondition(masked.utf8.count <= text.count * 6 + 64, "masks are short")
}
