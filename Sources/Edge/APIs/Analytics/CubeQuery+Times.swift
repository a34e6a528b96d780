import Codecs
import Records
import Routing

/// Conditions on times: answers show them to the millisecond, and what is shown is what is compared.
extension CubeQuery {
  /// `inDateRange` and its kin.
  func date(_ path: ColumnPath, _ word: String, _ values: [String]) throws(Problem) -> Predicate {
    let ends: JSONTree = values.count == 1 ? .string(values[0]) : .array(values.map { .string($0) })
    guard path == ColumnPath("timestamp"),
      let range = DateRange(ends, now: now, zone: zone), !range.isReversed
    else { throw Problem(400, "filters: \(word) takes a time dimension, and a date or two in their order") }
    let from = Predicate.compare(path, .greaterOrEqual, .timestamp(range.start))
    let before = range.end.map { Predicate.compare(path, .less, .timestamp($0)) }
    let inside = before.map { .and([from, $0]) } ?? from
    switch word {
    case "inDateRange", "onTheDate": return inside
    case "notInDateRange": return .not(inside)
    case "beforeDate": return .not(from)
    case "beforeOrOnDate": return before ?? .all
    case "afterDate": return before.map { .not($0) } ?? .none
    default: return from
    }
  }

  /// `equals`, `gt`, `gte`, `lt`, `lte` with one value.
  func time(_ path: ColumnPath, _ word: String, _ value: String) throws(Problem) -> Predicate {
    guard let time = DateRange.time(value, zone: zone) else {
      throw Problem(400, "filters: a time such as 2025-06-26T00:00:00.000")
    }
    let (first, last) = (Literal.timestamp(time.lowerBound), Literal.timestamp(time.upperBound))
    switch word {
    case "gt": return .compare(path, .greater, last)
    case "gte": return .compare(path, .greaterOrEqual, first)
    case "lt": return .compare(path, .less, first)
    case "lte": return .compare(path, .lessOrEqual, last)
    default: return .and([.compare(path, .greaterOrEqual, first), .compare(path, .lessOrEqual, last)])
    }
  }
}
