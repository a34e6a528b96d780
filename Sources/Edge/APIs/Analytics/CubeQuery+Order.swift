import Codecs
import Querying
import Records

extension CubeQuery {
  /// What the engine may leave to come last.
  struct Cut: Sendable, Hashable {
    /// The measure that orders the groups, the greatest first; nil: by bucket and values, the least first.
    var measure: Int?
    /// Groups that the answer needs at most.
    var count: Int
  }

  /// The order of the engine that has the answer's rows first, so that it gives no more and gathers no more
  /// than it can hold. All groups are needed where they are counted (`total`), and for orders that the engine
  /// has not.
  var cut: Cut {
    let (needed, isOver) = offset.addingReportingOverflow(limit)
    let all = Cut(measure: nil, count: QueryRequest.limitMax)
    guard tree["total"] != .bool(true), !isOver, needed < QueryRequest.limitMax else { return all }
    let byValues = Cut(measure: nil, count: needed)
    guard let first = order.first else {
      // Without an order by time, else the greatest first measure first.
      return units.isEmpty && !measures.isEmpty ? Cut(measure: 0, count: needed) : byValues
    }
    guard order.count == 1 else { return all }
    if let index = measures.firstIndex(where: { first.name.hasBytes(of: "\(cube.name).\($0.name)") }) {
      return first.isDescending ? Cut(measure: index, count: needed) : all
    }
    return !first.isDescending && isFirst(first.name) ? byValues : all
  }

  /// Whether groups by bucket and values are ordered by this member.
  private func isFirst(_ name: String) -> Bool {
    guard let time = times.first, let unit = units.first else {
      return dimensions.first.map { name.hasBytes(of: "\(cube.name).\($0.name)") } ?? false
    }
    return units.count == 1
      && (name.hasBytes(of: time.name) || name.hasBytes(of: "\(time.name).\(unit.rawValue)"))
  }
}
