import Decoding
import EntryDecoding
import Masking
import Records
import Routing

/// The ingest API's decoder, with a masking plan for each key that has rules of its own. Rules and limits may
/// be replaced while requests come in: each request is decoded by one set of them.
package final class MaskedDecoding: IngestDecoding {
  private struct State {
    var decoder: IngestDecoder
    var shared: MaskingPlan
    /// By the key's name: of those with overrides.
    var own: [String: MaskingPlan]
  }

  private let state: Replaceable<State>

  package init(_ rules: MaskingRules, limits: IngestLimits) {
    state = Replaceable(MaskedDecoding.compiled(rules, limits))
  }

  /// Takes other rules and limits, all at once.
  package func use(_ rules: MaskingRules, limits: IngestLimits) {
    state.replace(with: MaskedDecoding.compiled(rules, limits))
  }

  private static func compiled(_ rules: MaskingRules, _ limits: IngestLimits) -> State {
    let schema = Dataset.logs.schema
    var own: [String: MaskingPlan] = [:]
    for name in rules.overrides.keys { own[name] = MaskingPlan(rules, for: schema, caller: name) }
    return State(
      decoder: IngestDecoder(limits: limits), shared: MaskingPlan(rules, for: schema), own: own)
  }

  private func current(for tenant: Tenant?) -> (IngestDecoder, MaskingPlan) {
    let state = state.value
    return (state.decoder, tenant.flatMap { state.own[$0.name] } ?? state.shared)
  }

  package func decode(
    _ body: [UInt8], for tenant: Tenant, within memory: DecodingMemory
  ) throws(ValidationFailure) -> IngestBatch {
    let (decoder, plan) = current(for: tenant)
    return try decoder.decode(body, masking: plan, within: memory)
  }

  package func tryMasking(_ entry: [UInt8], for tenant: Tenant?) -> MaskingReport? {
    // What is not JSON cannot be masked; there is nothing else to say about it.
    try? current(for: tenant).1.apply(toJSON: entry)
  }
}
