import Matching
import Records

/// Which pages of a block a scan must look at: from bounds, sort keys, and what is known of the predicate's
/// conditions.
struct BlockPruning {
  private let contents: BlockContents
  private let request: ScanRequest
  /// Pages that may hold matching rows.
  private(set) var pages: Selection

  /// - Parameter groups: The row groups that may hold matching rows; nil: all.
  init(_ contents: BlockContents, _ request: ScanRequest, groups: [Int]? = nil) {
    self.contents = contents
    self.request = request
    let isWhole = groups.map { $0.count == contents.groupCount } ?? true
    pages = Selection(rowCount: contents.pages.pages.count, all: isWhole)
    if !isWhole, let groups {
      for group in groups { pages.set(contents.pages(of: group)) }
    }
  }

  mutating func drop(_ isNone: (Int) -> Bool) {
    for page in pages.indices() where isNone(Int(page)) { pages.remove(Int(page)) }
  }

  /// By time and position, the predicate's conditions on them included.
  mutating func byBounds(_ predicate: CompiledPredicate) {
    let times = predicate.timeRange
    let positions = predicate.bounds(of: "position")
    guard !predicate.isNever, let times, let positions else {
      pages = Selection(rowCount: pages.rowCount, all: false)
      return
    }
    let start = max(times.lowerBound, request.start ?? .min)
    let first = max(positions.lowerBound, request.positions.lowerBound)
    let all = contents.pages.pages
    let request = request
    drop { page in
      let bounds = all[page]
      return bounds.timestampMax < start || bounds.timestampMin > times.upperBound
        || request.end.map { bounds.timestampMin >= $0 } ?? false
        || bounds.positionMax < first || bounds.positionMin > positions.upperBound
        || bounds.positionMin >= request.positions.upperBound
    }
  }

  /// By the sort keys of the pages' first rows, where the predicate fixes columns of the sort key.
  mutating func byKeys(_ predicate: CompiledPredicate) {
    guard let keys = contents.keys, !pages.isEmpty else { return }
    var fixed: [String: [UInt8]] = [:]
    for case .equalsAny(let path, let literals) in predicate.requiredConditions {
      if literals.count == 1, path.members.isEmpty, case .string(let text) = literals[0] {
        fixed[path.column] = Array(text.utf8)
      }
    }
    let sortKey = contents.schema.sortKey
    let texts = sortKey.prefix { fixed[$0] != nil }.compactMap { fixed[$0] }
    let range = keys.pages(startingWith: texts, columnCount: sortKey.count)
    drop { !range.contains($0) }
  }

  /// By the conditions of the predicate: bounds, statistics, Bloom filters, and the filters of words and
  /// grams.
  mutating func byConditions(_ predicate: CompiledPredicate) throws(BlockError) -> PrunedPredicate {
    let cancellation = request.cancellation
    let conditions = BlockConditions(contents: contents, cancellation: cancellation)
    let pruned = try PrunedPredicate(predicate, among: pages) {
      (condition, pages) throws(BlockError) in
      try cancellation.check()
      return try conditions.known(condition, pages)
    }
    // What was found meanwhile means nothing if it is over.
    try cancellation.check()
    pages = pruned.pages.may
    return pruned
  }
}
