import Records

/// All routes by their paths.
package struct RouteTable: Sendable {
  /// A route and the API whose it is. Made once; requests pass it on by reference.
  package final class Place: Sendable {
    package let api: API
    package let route: Route

    init(api: API, route: Route) {
      self.api = api
      self.route = route
    }
  }

  /// One path, with the routes that it has in the order of registration.
  final class Entry: Sendable {
    let path: PathPattern
    let places: [Place]
    /// Whether pages of other origins may ask.
    let isOpenToPages: Bool

    init(_ path: PathPattern, _ places: [Place]) {
      self.path = path
      self.places = places
      isOpenToPages = places.contains { $0.route.isOpenToPages ?? $0.api.isOpenToPages }
    }
  }

  private let literals: [Name: Entry]
  private let entries: [Entry]
  /// Those with parameters, by how many segments they have.
  private let patterns: [Int: [Entry]]
  private let prefixes: [(prefix: String, api: API)]
  /// Every route, API by API.
  package let places: [Place]
  /// The paths that there are, in the order of registration.
  package let paths: [PathPattern]

  /// Traps on a route that is there twice for one API: our own bug.
  package init(_ apis: [API]) {
    var places: [Place] = []
    var byPath: [PathPattern: [Place]] = [:]
    for api in apis {
      var own: Set<String> = []
      for route in api.routes {
        invariant(
          own.insert(route.method.rawValue + route.name).inserted,
          "\(route.name) is there once for each method")
        let place = Place(api: api, route: route)
        places.append(place)
        byPath[route.path, default: []].append(place)
      }
    }
    self.places = places
    paths = RouteTable.unique(places.map(\.route.path))
    let entries = paths.map { Entry($0, byPath[$0] ?? []) }
    self.entries = entries.filter(\.path.isLiteral) + entries.filter { !$0.path.isLiteral }
    patterns = Dictionary(grouping: entries.filter { !$0.path.isLiteral }, by: \.path.segmentCount)
    literals = Dictionary(
      uniqueKeysWithValues: entries.filter(\.path.isLiteral).map { (Name($0.path.description), $0) })
    prefixes = apis.flatMap { api in api.prefixes.map { ($0, api) } }
      .sorted { $0.prefix.utf8.count > $1.prefix.utf8.count }
  }

  private static func unique(_ paths: [PathPattern]) -> [PathPattern] {
    var seen: Set<PathPattern> = []
    return paths.filter { seen.insert($0).inserted }
  }

  /// The entry of a path and its parameters' values. What is written out wins over what a parameter takes.
  ///
  /// Costs one hash for paths without parameters, else a comparison with each path of as many segments that
  /// has some.
  func find(_ path: String) -> (entry: Entry, values: [String])? {
    if let entry = literals[Name(path)] { return (entry, []) }
    let segments = PathPattern.split(path)
    // With escapes, another spelling of a path without parameters is that path too.
    let isEscaped = path.utf8.contains(UInt8(ascii: "%"))
    for entry in isEscaped ? entries : patterns[segments.count] ?? [] {
      if let values = entry.path.match(segments) { return (entry, values) }
    }
    return nil
  }

  /// The API to whose paths `path` would belong.
  func owner(of path: String) -> API? { prefixes.first { path.hasBytes(from: $0.prefix) }?.api }
}
