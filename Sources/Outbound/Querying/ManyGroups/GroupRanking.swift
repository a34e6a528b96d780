import Records

/// The measure that orders the groups of a query, as far as rows bound it: what a group has of it is at most
/// what all rows of any set that holds the group's rows say together.
///
/// Everything here is of the measure as it is ordered: of an ascending order its negative.
struct GroupRanking: Sendable {
  /// How rows bound the measure.
  enum Bound: Sendable {
    /// A count, or a count of different values: by how many rows there are.
    case rows
    /// A sum: by the sum of the values above 0.
    case sum
    /// Least, greatest, mean, quantile: by the greatest value.
    case greatest
  }

  let bound: Bound
  let isDescending: Bool
  /// Gathers the measure alone.
  let plan: AggregatePlan
  /// Which measure of the query it is.
  let index: Int
  /// How many groups the answer needs.
  let needed: Int
  /// Whether every row counts.
  let isOfAllRows: Bool
  private let isWhole: Bool
  private let isSketched: Bool

  /// nil: rows do not bound what orders the groups. That is so of no order by a measure, of the least counts
  /// first (any group may have one row), and of texts.
  init?(_ plan: AggregatePlan) throws(StoreError) {
    guard let name = plan.query.orderBy,
      let index = plan.query.measures.firstIndex(where: { $0.name.hasBytes(of: name) })
    else { return nil }
    let measure = plan.query.measures[index]
    let type = try plan.request.input(of: measure.function)?.type
    isDescending = plan.request.isDescending
    switch measure.function {
    case .count, .countValues, .countDistinct:
      guard isDescending else { return nil }
      bound = .rows
    case .sum: bound = .sum
    case .min, .max, .avg, .quantile: bound = .greatest
    }
    if bound != .rows, type == .utf8 { return nil }
    isOfAllRows = measure.function == .count && measure.filter == .all
    isWhole = bound == .rows || type != .float64
    if case .quantile = measure.function { isSketched = true } else { isSketched = false }
    self.index = index
    needed = plan.groupsNeeded
    var query = plan.query
    query.measures = [measure]
    self.plan = try AggregatePlan(query, request: plan.request, cancellation: plan.cancellation)
  }

  /// A bound as rows gave it, widened by what sums of fractions lose in 2^30 rows, and by what a quantile's
  /// sketch may be off.
  func widened(_ bound: Double) -> Double {
    guard bound.isFinite else { return bound }
    if isSketched { return bound + abs(bound) * 0.01 }
    return isWhole && abs(bound) < 9e15 ? bound : bound + abs(bound) * 1e-6
  }

  /// What an answer says whose last group has so much of the measure, when other groups were left out.
  ///
  /// - Parameters:
  ///   - leftOut: What none of those has more of; nil: there are none.
  ///   - last: nil: it has none, or there are fewer groups than the answer needs.
  /// - Returns: nil: none of them belongs into the answer.
  func approximation(leftOut: Double?, last: Double?) -> Approximation? {
    guard let leftOut else { return nil }
    if let last, (isDescending ? last : -last) > leftOut { return nil }
    guard leftOut.isFinite else { return Approximation(errorBound: nil) }
    return Approximation(errorBound: isDescending || leftOut == 0 ? leftOut : -leftOut)
  }
}
