import Records

/// A conjunction of conditions on the numbers of one column or member: the values that fulfil it.
package struct NumberCondition: Sendable {
  /// The column or member.
  package let path: ColumnPath
  /// Sorted and disjoint.
  package private(set) var integers: [ClosedRange<Int64>]
  /// Sorted and disjoint, by the values of doubles: 0 and -0 are one.
  package private(set) var doubles: [ClosedRange<Double>]

  fileprivate init?(_ leaf: PredicateLeaf) {
    // Of times there is more than columns of numbers have.
    guard case .values(let test) = leaf.test, let numbers = test.numbers, leaf.type != .timestamp,
      test.text == nil, test.uuids == nil, !test.passesTrue, !test.passesFalse
    else { return nil }
    path = leaf.path
    integers = numbers.integers
    doubles = numbers.doubles
  }

  /// Keeps the values that another condition on the same path lets pass too.
  fileprivate mutating func formIntersection(_ other: NumberCondition) {
    integers = NumberCondition.both(integers, other.integers)
    doubles = NumberCondition.both(doubles, other.doubles)
  }

  private static func both<T: Comparable>(
    _ left: [ClosedRange<T>], _ right: [ClosedRange<T>]
  ) -> [ClosedRange<T>] {
    var (result, a, b): ([ClosedRange<T>], Int, Int) = ([], 0, 0)
    while a < left.count, b < right.count {
      if left[a].overlaps(right[b]) { result.append(left[a].clamped(to: right[b])) }
      if left[a].upperBound < right[b].upperBound { a += 1 } else { b += 1 }
    }
    return result
  }
}

extension CompiledPredicate {
  /// What the predicate asks for if that is nothing but numbers of one column or member.
  package var numberCondition: NumberCondition? {
    switch root {
    case .leaf(let leaf): return NumberCondition(leaf)
    case .and(let parts):
      var result: NumberCondition?
      for part in parts {
        guard case .leaf(let leaf) = part, let next = NumberCondition(leaf),
          result.map({ $0.path == next.path }) ?? true
        else { return nil }
        if result == nil { result = next } else { result?.formIntersection(next) }
      }
      return result
    case .all, .none, .or, .not: return nil
    }
  }
}

extension PruningCondition {
  /// The condition, if it is one on numbers alone.
  package var numbers: NumberCondition? { NumberCondition(leaf) }
}
