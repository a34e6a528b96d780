import Codecs
import Querying
import Records
import Routing

/// What a request to load asks: one query, one for each range of a `compareDateRange`, or a list of them.
struct CubeLoad {
  enum Kind: String, Sendable {
    case regular = "regularQuery"
    case comparison = "compareDateRangeQuery"
    case blending = "blendingQuery"
  }

  /// Queries of one request; they run one after the other.
  static let queriesMax = 32
  /// Rows of all results together.
  static let rowsMax = 100_000

  let kind: Kind
  /// At least one.
  let queries: [CubeQuery]
  /// Whether the client reads lists of results.
  private let isMulti: Bool
  /// Of a comparison, the place of the time dimension that is compared.
  private let comparedIndex: Int?

  /// - Parameters:
  ///   - tree: A query, or a list of them.
  ///   - type: `queryType` of the request.
  /// - Throws: 400 with the member's name; values are not quoted.
  init(
    _ tree: JSONTree, type: JSONTree?, cube: CubeSchema, now: Int64, zones: TimeZones = .none
  ) throws(Problem) {
    switch type {
    case nil, .null?: isMulti = false
    case .string("multi")?: isMulti = true
    default: throw Problem(400, "queryType: multi, or nothing")
    }
    let trees: [JSONTree]
    if case .array(let items) = tree {
      (kind, trees, comparedIndex) = (.blending, items, nil)
    } else if let (ranges, index) = try CubeLoad.ranges(compared: tree) {
      (kind, comparedIndex) = (.comparison, index)
      trees = ranges.map { CubeLoad.query(tree, range: $0, at: index) }
    } else {
      (kind, trees, comparedIndex) = (.regular, [tree], nil)
    }
    guard kind == .regular || isMulti else {
      throw Problem(400, "a \(kind.rawValue) has several results: ask with queryType=multi")
    }
    guard !trees.isEmpty, trees.count <= CubeLoad.queriesMax else {
      throw Problem(
        400,
        kind == .blending
          ? "query: a list of 1 to \(CubeLoad.queriesMax) queries"
          : "compareDateRange: a list of 1 to \(CubeLoad.queriesMax) ranges")
    }
    queries = try trees.map { tree throws(Problem) in
      try CubeQuery(tree, cube: cube, now: now, zones: zones)
    }
    if kind == .blending, Set(queries.map(\.units.first)).count != 1 || queries[0].units.isEmpty {
      throw Problem(400, "granularity: queries of a list need one, all the same")
    }
  }

  /// The ranges that are to be compared, and the place of their time dimension; nil: none are.
  private static func ranges(compared tree: JSONTree) throws(Problem) -> (ranges: [JSONTree], index: Int)? {
    guard case .array(let times)? = tree["timeDimensions"] else { return nil }
    let compared = times.indices.filter { times[$0]["compareDateRange"] ?? .null != .null }
    guard let index = compared.first else { return nil }
    guard compared.count == 1 else {
      throw Problem(400, "compareDateRange: one time dimension can have it")
    }
    guard times[index]["dateRange"] ?? .null == .null else {
      throw Problem(400, "compareDateRange: not together with dateRange")
    }
    guard case .array(let ranges)? = times[index]["compareDateRange"] else {
      throw Problem(400, "compareDateRange: a list of 1 to \(queriesMax) ranges")
    }
    return (ranges, index)
  }

  private static func query(_ tree: JSONTree, range: JSONTree, at index: Int) -> JSONTree {
    guard case .array(var times)? = tree["timeDimensions"] else { return tree }
    times[index] = times[index].setting("compareDateRange", to: nil).setting("dateRange", to: range)
    return tree.setting("timeDimensions", to: .array(times))
  }

  /// What a result's rows say beside their cells.
  func label(of query: CubeQuery) -> CubeAnswer.Label? {
    switch kind {
    case .regular: return nil
    case .blending: return .time
    case .comparison:
      guard let comparedIndex, let range = query.times[comparedIndex].range else { return nil }
      return .range(range.texts(in: query.zone).joined(separator: " - "))
    }
  }

  // MARK: Answering

  /// Writes what comes before the first result.
  func begin(_ text: inout JSONWriter) {
    guard isMulti else { return }
    text.beginObject()
    text.member("queryType", kind.rawValue)
    text.name("results")
    text.beginArray()
  }

  /// Writes what comes behind the last.
  func end(_ text: inout JSONWriter) {
    guard isMulti else { return }
    text.endArray()
    text.name("pivotQuery")
    text.raw(Array(pivotQuery.text.utf8))
    text.member("slowQuery", false)
    text.endObject()
  }

  /// The query that clients lay tables out by.
  private var pivotQuery: JSONTree {
    let query =
      switch kind {
      case .regular: queries[0].tree
      case .comparison:
        queries[0].tree.setting(
          "dimensions",
          to: .array([.string("compareDateRange")] + CubeLoad.items(queries[0].tree, "dimensions")))
      case .blending: blended
      }
    return query.setting("queryType", to: .string(kind.rawValue))
  }

  private var blended: JSONTree {
    func all(_ name: String) -> JSONTree {
      let items = queries.flatMap { CubeLoad.items($0.tree, name) }
      return .array(items.reduce(into: []) { if !$0.contains($1) { $0.append($1) } })
    }
    let unit = queries[0].units.first?.rawValue ?? ""
    let time: [JSONTree.Member] = [.init("dimension", .string("time")), .init("granularity", .string(unit))]
    return .object([
      .init("measures", all("measures")), .init("dimensions", all("dimensions")),
      .init("timeDimensions", .array([.object(time)])),
    ])
  }

  private static func items(_ tree: JSONTree, _ name: String) -> [JSONTree] {
    guard case .array(let items)? = tree[name] else { return [] }
    return items
  }
}

extension JSONTree {
  /// An object with a member set, in its place or behind the others, or without it; anything else is as it
  /// was.
  func setting(_ name: String, to value: JSONTree?) -> JSONTree {
    guard case .object(var members) = self else { return self }
    let member = value.map { Member(name, $0) }
    if let index = members.firstIndex(where: { $0.name.hasBytes(of: name) }) {
      members.replaceSubrange(index...index, with: member.map { [$0] } ?? [])
    } else if let member {
      members.append(member)
    }
    return .object(members)
  }
}
