import Codecs
import Records
import Routing

/// Which members a query may have: one that the server does not know would be a part of the question that the
/// answer leaves out.
extension CubeQuery {
  /// What clients send for their own side of a query, which says nothing to the server.
  static let passedOver = [
    "pivotConfig", "renewQuery", "responseFormat", "queryType", "castNumerics", "cache",
  ]
  private static let members = [
    "measures", "dimensions", "filters", "timeDimensions", "segments", "order", "limit", "offset", "timezone",
    "total", "ungrouped",
  ]
  static let timeMembers = ["dimension", "granularity", "dateRange", "compareDateRange"]
  private static let conditionMembers = ["member", "dimension", "operator", "values"]

  /// - Throws: 400 for a member that queries do not have, and for segments and rows without groups, which
  ///   there are not.
  static func checkNames(_ tree: JSONTree, _ cube: CubeSchema) throws(Problem) {
    guard case .object = tree else { throw Problem(400, "query: an object") }
    try check(tree, "query", members + passedOver)
    switch tree["segments"] {
    case nil, .null?, .array([])?: break
    default: throw Problem(400, "segments: \(cube.name) has no segments")
    }
    switch tree["ungrouped"] {
    case nil, .null?, .bool(false)?: break
    default: throw Problem(400, "ungrouped: answers have groups here")
    }
    switch tree["total"] {
    case nil, .null?, .bool?: break
    default: throw Problem(400, "total: true or false")
    }
  }

  /// Whether the cube has the member, given without the cube's name: a measure, a dimension, or a time with a
  /// unit.
  static func canOrder(by member: String, _ cube: CubeSchema) -> Bool {
    if cube.measure(member) != nil || cube.dimension(member) != nil { return true }
    let parts = member.parts(at: ".").map { String($0) }
    return parts.count == 2 && cube.dimension(parts[0])?.type == .time
      && CalendarDate.Unit(word: parts[1]) != nil
  }

  /// A filter is a condition, or conditions joined by one word.
  static func checkFilter(_ tree: JSONTree) throws(Problem) {
    guard case .object(let members) = tree else { throw Problem(400, "filters: objects") }
    if tree["and"] != nil || tree["or"] != nil {
      guard members.count == 1 else {
        throw Problem(400, "filters: and, or, or a condition: one of them in an object")
      }
      return
    }
    try check(tree, "filters", conditionMembers)
    guard tree["member"] == nil || tree["dimension"] == nil else {
      throw Problem(400, "filters: member, or dimension, its older name")
    }
  }

  /// - Throws: 400 for a member of `tree` that is none of `names`; what is no object is left to others.
  static func check(_ tree: JSONTree, _ place: String, _ names: [String]) throws(Problem) {
    guard case .object(let members) = tree, let slip = Slip.first(of: members, among: names) else { return }
    throw Problem(400, "\(place): \(slip.sentence)")
  }
}
