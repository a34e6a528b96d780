import Codecs
import Matching
import Records

/// What is masked in the records of one dataset, made ready for the decoders. Cheap to copy; make one for
/// each caller and keep it.
///
/// A masked value is replaced while the request is scanned: it never reaches a batch, so no file, answer or
/// log line can hold it. Names are compared after JSON escapes are resolved. A hidden text becomes `****`,
/// with its length if that is over 16 characters, or what a partial rule leaves of it; numbers, objects and
/// whatever else become `****`; in a declared column of another type than text, null. Times and ids of
/// records are never masked. Where no name hides a text, detectors replace what they find in it.
package struct MaskingPlan: Sendable, ScanMasking {
  /// Stands for every masked value that is no text.
  package static let replacement = "****"

  /// Nothing is masked.
  package static let none = MaskingPlan(tables: MaskingTables(.off, caller: nil, identifiers: []))

  private let tables: MaskingTables

  /// Whether nothing is masked.
  package var isEmpty: Bool { !tables.isOn }

  /// Compiles `rules` for the records of `schema`.
  ///
  /// - Parameter caller: The name of the API key whose ``MaskingRules/overrides`` hold too.
  package init(_ rules: MaskingRules, for schema: DatasetSchema, caller: String? = nil) {
    // Columns that are searched by their exact value, and the parts of a trace: numbers there are no card
    // numbers.
    let identifiers = schema.bloomColumns + schema.summaryColumns + ["trace_id", "span_id"]
    self.init(tables: MaskingTables(rules, caller: caller, identifiers: identifiers))
  }

  private init(tables: MaskingTables) { self.tables = tables }

  // MARK: What scans ask

  package func rule(forKey name: Span<UInt8>) -> UInt16 { tables.keys.rule(for: name) }

  /// As ``rule(forKey:)-(Span)``.
  package func rule(forKey name: String) -> UInt16 { rule(forKey: Array(name.utf8).span) }

  /// The rule each of an object's members is hidden by for what the object says of it: see ``NamedPair``.
  func pairRules(of members: [JSONTree.Member]) -> [UInt16] {
    NamedPair.rules(of: members) { rule(forKey: $0) }
  }

  package func appendMask(_ rule: UInt16, text: Span<UInt8>?, to output: inout [UInt8]) {
    guard let text else {
      output.append(contentsOf: ValueMask.stars)
      return
    }
    tables.masks[Int(rule) - 1].append(text, to: &output)
  }

  package var memberDetectors: UInt16 { tables.detectors.rawValue }

  package func detectors(forColumn name: [UInt8]) -> UInt16 {
    if tables.identifiers.contains(name) { return tables.detectors.intersection(.forIdentifiers).rawValue }
    return tables.detectors.rawValue
  }

  package func appendRedacted(
    _ text: Span<UInt8>, detectors: UInt16, to output: inout [UInt8], found: inout [UInt16]
  ) -> Bool {
    let detectors = DetectorSet(rawValue: detectors)
    if detectors.contains(.own) {
      let own = tables.ownDetectors.found(in: text)
      if !own.isEmpty { return appendJoined(text, detectors, own, to: &output, found: &found) }
      guard detectors != .own, text.count >= TextCandidates.bytesMin else { return false }
    }
    var redaction = Redaction(detectors: detectors, firstRule: tables.firstDetectorRule)
    return redaction.run(text, to: &output, found: &found)
  }

  private func appendJoined(
    _ text: Span<UInt8>, _ detectors: DetectorSet, _ own: [CapturePatternSet.Found],
    to output: inout [UInt8], found: inout [UInt16]
  ) -> Bool {
    var joined = JoinedRedaction(replacements: tables.replacements, firstRule: tables.firstDetectorRule)
    if text.count >= TextCandidates.bytesMin {
      var redaction = Redaction(detectors: detectors, firstRule: tables.firstDetectorRule)
      joined.add(redaction.places(in: text))
    }
    joined.add(own)
    return joined.run(text, to: &output, found: &found)
  }

  package var ruleNames: [String] { tables.ruleNames }
  package var operationsMax: Int { tables.operationsMax }
  package var failureText: [UInt8] { Array(MaskingFailure.text.utf8) }
  package func failureObject(_ names: [[UInt8]]) -> [UInt8] { MaskingFailure.object(names) }

  /// The counts of rules (by number, 0 unused) that hid something, by name.
  package func counts(_ counts: [Int]) -> [MaskedCount] {
    zip(ruleNames, counts.dropFirst()).filter { $1 > 0 }.map { MaskedCount(rule: $0, count: $1) }
  }
}

/// Rules in the form that values are compared with.
final class MaskingTables: Sendable {
  let isOn: Bool
  let keys: KeyMatcher
  /// By rule, from 1.
  let masks: [ValueMask]
  let ruleNames: [String]
  /// The rule number of the first detector; the others follow in the order of their bits, then the operator's
  /// own in their order.
  let firstDetectorRule: UInt16
  let detectors: DetectorSet
  let ownDetectors: PatternDetectors
  /// What stands for a place that was found: by bit, then of the operator's own in their order.
  let replacements: [[UInt8]]
  let identifiers: Set<[UInt8]>
  let operationsMax: Int

  init(_ rules: MaskingRules, caller: String?, identifiers: [String]) {
    isOn = rules.isOn
    self.identifiers = Set(identifiers.map { Array($0.utf8) })
    operationsMax = max(rules.operationsMax, 1)
    guard rules.isOn else {
      keys = KeyMatcher(rules: [], words: [])
      self.masks = []
      ruleNames = []
      firstDetectorRule = 1
      detectors = []
      ownDetectors = .none
      replacements = []
      return
    }
    // A rule a distinct name: partial rules first, in their order, since they say what is left.
    var names: [String] = []
    var masks: [ValueMask] = []
    var seen: Set<String> = []
    func add(_ name: String, _ mask: ValueMask) {
      let folded = KeyMatcher.folded(name)
      guard !folded.isEmpty, seen.insert(folded).inserted else { return }
      invariant(names.count < MaskingRules.keysMax, "the settings bound the count of keys")
      names.append(folded)
      masks.append(mask)
    }
    for rule in rules.partialRules { add(rule.name, ValueMask(rule.partial)) }
    let partialCount = names.count
    for key in rules.baselineKeys { add(key, .full) }
    if let caller { for key in rules.overrides[caller] ?? [] { add(key, .full) } }
    let keyCount = names.count
    if rules.heuristics != .off { for word in MaskingRules.heuristicWords { add(word, .full) } }
    let wordCount = names.count
    if rules.heuristics != .off { for word in MaskingRules.shortWords { add(word, .full) } }
    let wholeWords = rules.heuristics == .substring ? wordCount : keyCount
    keys = KeyMatcher(
      rules: Array(names[..<wholeWords]), partialCount: partialCount, words: Array(names[wholeWords...]))
    firstDetectorRule = UInt16(names.count + 1)
    ownDetectors = rules.ownDetectors
    let ownNames = rules.ownDetectors.names.map(\.text)
    detectors = DetectorSet(rules.detectors).union(ownNames.isEmpty ? [] : .own)
    replacements = DetectorSet.replacements + ownNames.map { DetectorSet.replacement($0) }
    self.masks = masks
    ruleNames = names + (DetectorSet.names + ownNames).map { "value:" + $0 }
  }
}
