import Records

/// What is known of a condition over some pages.
package struct PageSets: Sendable {
  /// Pages in which a row may match; no row of the others does.
  package var may: Selection
  /// Pages all rows of which match.
  package var sure: Selection

  /// Nothing known of `pages`.
  package init(unknown pages: Selection) {
    may = pages
    sure = Selection(rowCount: pages.rowCount, all: false)
  }
}

/// A condition on one column or member, for those who know something about pages.
package struct PruningCondition: Sendable {
  let leaf: PredicateLeaf

  /// The column or member that the condition is about.
  package var path: ColumnPath { leaf.path }
  /// What a row that matches fulfils.
  package var required: RequiredCondition { CompiledPredicate.condition(leaf) }
  /// What statistics of the path's column prove of all rows they cover.
  package func verdict(_ statistics: ColumnStatistics) -> Verdict { leaf.verdict(statistics) }
}

/// A predicate with the pages each of its conditions may match in: of a conjunction those that all parts may
/// match in, of alternatives those that any may, of a negation all but those whose rows are known to match.
package struct PrunedPredicate: Sendable {
  /// As it was given.
  package let predicate: CompiledPredicate
  /// What is known of the whole predicate, over the pages asked about.
  package let pages: PageSets
  /// By condition, in the order of the tree; nil: not asked, because of conditions beside it.
  private let conditions: [PageSets?]

  /// - Parameters:
  ///   - pages: Those to look at.
  ///   - known: What is known of a condition; asked about pages that matter. It may answer for other pages
  ///     what it likes.
  package init<E: Error>(
    _ predicate: CompiledPredicate, among pages: Selection,
    known: (PruningCondition, Selection) throws(E) -> PageSets
  ) throws(E) {
    self.predicate = predicate
    var walk = Walk()
    self.pages = try walk.visit(predicate.root, pages, known)
    conditions = walk.conditions
  }

  private struct Walk {
    var conditions: [PageSets?] = []

    mutating func visit<E: Error>(
      _ node: PredicateNode, _ pages: Selection, _ known: (PruningCondition, Selection) throws(E) -> PageSets
    ) throws(E) -> PageSets {
      var result = PageSets(unknown: pages)
      switch node {
      case .all: result.sure = pages
      case .none: result.may = Selection(rowCount: pages.rowCount, all: false)
      case .leaf(let leaf):
        guard !pages.isEmpty else {
          conditions.append(nil)
          return result
        }
        result = try known(PruningCondition(leaf: leaf), pages)
        result.may.formIntersection(pages)
        result.sure.formIntersection(result.may)
        conditions.append(result)
      case .and(let parts):
        result.sure = pages
        for part in parts {
          let found = try visit(part, result.may, known)
          result.may = found.may
          result.sure.formIntersection(found.sure)
        }
      case .or(let parts):
        result.may = Selection(rowCount: pages.rowCount, all: false)
        for part in parts {
          let found = try visit(part, pages, known)
          result.may.formUnion(found.may)
          result.sure.formUnion(found.sure)
        }
      case .not(let part):
        let found = try visit(part, pages, known)
        result.may.subtract(found.sure)
        result.sure = pages
        result.sure.subtract(found.may)
      }
      return result
    }
  }

  /// The predicate for rows of `pages` alone, which are among those asked about: conditions that cannot match
  /// there, or always do, are left out, so that their columns need not be read. Matches the same rows.
  package func reduced(to pages: Selection) -> CompiledPredicate {
    var index = 0
    let root = reduce(predicate.root, pages, &index)
    return CompiledPredicate(predicate.predicate, root: root)
  }

  private func reduce(_ node: PredicateNode, _ pages: Selection, _ index: inout Int) -> PredicateNode {
    switch node {
    case .all, .none: return node
    case .leaf:
      defer { index += 1 }
      guard let known = conditions[index] else { return node }
      var rest = pages
      rest.subtract(known.sure)
      if rest.isEmpty { return .all }
      rest = pages
      rest.formIntersection(known.may)
      return rest.isEmpty ? .none : node
    case .and(let parts): return .all(of: parts.map { reduce($0, pages, &index) })
    case .or(let parts): return .any(of: parts.map { reduce($0, pages, &index) })
    case .not(let part): return .negation(of: reduce(part, pages, &index))
    }
  }
}

extension PredicateNode {
  /// A conjunction without needless parts, the cheapest first.
  static func all(of nodes: [PredicateNode]) -> PredicateNode {
    let parts = nodes.filter { if case .all = $0 { false } else { true } }
    if parts.contains(where: { if case .none = $0 { true } else { false } }) { return .none }
    return parts.isEmpty ? .all : parts.count == 1 ? parts[0] : .and(parts.sorted { $0.cost < $1.cost })
  }

  /// Alternatives without needless ones, the cheapest first.
  static func any(of nodes: [PredicateNode]) -> PredicateNode {
    let parts = nodes.filter { if case .none = $0 { false } else { true } }
    if parts.contains(where: { if case .all = $0 { true } else { false } }) { return .all }
    return parts.isEmpty ? .none : parts.count == 1 ? parts[0] : .or(parts.sorted { $0.cost < $1.cost })
  }

  static func negation(of node: PredicateNode) -> PredicateNode {
    switch node {
    case .all: .none
    case .none: .all
    case .not(let inner): inner
    case .and, .or, .leaf: .not(node)
    }
  }

  /// Every column or member it reads, without repeats.
  var paths: [ColumnPath] {
    switch self {
    case .all, .none: return []
    case .leaf(let leaf): return [leaf.path]
    case .not(let part): return part.paths
    case .and(let parts), .or(let parts):
      var known: Set<ColumnPath> = []
      return parts.flatMap(\.paths).filter { known.insert($0).inserted }
    }
  }
}
