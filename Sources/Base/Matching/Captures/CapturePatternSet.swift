import Records

/// Several expressions that are looked for in the same texts. Any number of threads may use it.
package final class CapturePatternSet: Sendable {
  /// The most states of all expressions together: what a search costs for each byte grows with them, and may
  /// be a microsecond for each hundred.
  package static let statesMax = 10_000

  /// A place of a text.
  package struct Found: Sendable, Hashable {
    /// Which expression found it.
    package let pattern: Int
    package let range: Range<Int>
  }

  /// What a search found, by expression and then in order, and what it cost.
  package struct Search: Sendable {
    package fileprivate(set) var found: [Found] = []
    /// Edges and places looked at; none where the filter says that there is nothing.
    package fileprivate(set) var steps = 0
  }

  private let patterns: [CapturePattern]
  /// Of all expressions that have one; empty if any has none.
  private let literals: [LiteralScan]
  /// No shorter text matches any.
  private let bytesMin: Int
  /// Whether any expression matches.
  private let filter: AutomatonRuns

  /// - Throws: `.invalid` if they have more than ``statesMax`` states together.
  package init(_ patterns: [CapturePattern]) throws(StoreError) {
    let stateCount = patterns.reduce(0) { $0 + $1.stateCount }
    guard stateCount <= CapturePatternSet.statesMax else {
      throw .invalid(
        "the regular expressions have \(stateCount) states together, more than "
          + "\(CapturePatternSet.statesMax): use fewer or smaller repetitions")
    }
    self.patterns = patterns
    bytesMin = patterns.map(\.bytesMin).min() ?? 0
    let known = patterns.compactMap(\.literal)
    literals = known.count == patterns.count ? known : []
    filter = AutomatonRuns(try AutomatonProgram(.alternation(patterns.map(\.node))))
  }

  /// The places that expressions match, or that their groups captured (see ``CapturePattern``). Those of one
  /// expression do not overlap; none is empty.
  ///
  /// Takes a nanosecond or two a byte where nothing matches, or less where each expression has a text that
  /// all its matches have; else at most some nanoseconds a byte and state, of ``Search/steps``.
  package func search(_ text: Span<UInt8>) -> Search {
    var search = Search()
    guard text.count >= bytesMin, mayMatch(text) else { return search }
    for (index, pattern) in patterns.enumerated() {
      if let literal = pattern.literal, !literal.matches(text) { continue }
      var one = CaptureSearch(pattern.graph, hasGroup: pattern.hasGroup, text)
      for range in one.ranges(in: text) { search.found.append(Found(pattern: index, range: range)) }
      search.steps += one.steps
    }
    return search
  }

  private func mayMatch(_ text: Span<UInt8>) -> Bool {
    if !literals.isEmpty {
      guard literals.indices.contains(where: { literals[$0].matches(text) }) else { return false }
    }
    return filter.with { $0.matches(text) }
  }
}
