/// One method of one path as documents tell of it: what the APIs that have it say together.
struct RouteOperation {
  let places: [RouteTable.Place]

  var method: RequestMethod { places[0].route.method }
  var path: String { places[0].route.name }
  var tags: [String] { places.map(\.api.name) }

  var summary: String {
    guard places.count > 1 else { return places[0].route.summary }
    return places.map { "\($0.route.summary) (\($0.api.name))" }.joined(separator: "; ")
  }

  /// Without repeats, in order.
  var credentials: [CredentialKind] { unique(places.flatMap { $0.api.credentials(of: $0.route) }) }

  /// Without repeats; what one API alone takes is said to be its.
  var parameters: [RouteParameter] {
    var found: [RouteParameter] = []
    for place in places {
      for parameter in place.route.parameters where !found.contains(where: { $0.isSame(as: parameter) }) {
        let takers = places.filter { $0.route.parameters.contains { $0.isSame(as: parameter) } }
        let whose = takers.count < places.count ? " (\(place.api.name))" : ""
        found.append(parameter.saying(whose))
      }
    }
    if isIdempotent { found += [.idempotencyKey, .importPart] }
    return found
  }

  /// The last API's example, which gets what no other claims; a schema that all bodies have.
  var body: RouteBody? {
    let bodies = places.compactMap(\.route.body)
    guard let last = bodies.last, bodies.count > 1 else { return bodies.last }
    let schema = #"{"anyOf":[\#(bodies.map(\.schema).joined(separator: ","))]}"#
    return RouteBody(
      schema: schema, example: last.example, mediaType: last.mediaType, bytesMax: last.bytesMax)
  }

  /// The status of success, of the last API as in ``body``.
  var status: Int { places[places.count - 1].route.status }

  var isSafe: Bool { places.allSatisfy(\.route.isSafe) }

  /// All statuses: of success, of its own failures, and of those that every operation of its kind may have.
  var statuses: [Int] {
    var all = places.flatMap { [$0.route.status] + $0.route.failures } + [400, 408, 431, 503]
    if !credentials.isEmpty { all.append(401) }
    if places.contains(where: { $0.route.permission != nil }) { all.append(403) }
    if places.contains(where: { !$0.route.path.isLiteral }) { all.append(404) }
    if body != nil { all += [413, 415] }
    if isIdempotent { all += [409, 422, 429] }
    // Whatever only asks may take too long.
    if isSafe, !credentials.isEmpty { all.append(504) }
    return Set(all).sorted()
  }

  /// Whether a repeat under the same key changes nothing.
  private var isIdempotent: Bool { places.contains { $0.route.isIdempotent } }

  /// `getApiV1Logs`; with a stroke at its end a path is another one than without.
  var identifier: String {
    let words = path.split(whereSeparator: { "/{}.-_:".contains($0) })
    return method.rawValue.lowercased()
      + words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
      + (path.utf8.last == UInt8(ascii: "/") && !words.isEmpty ? "Index" : "")
  }

  private func unique<Element: Hashable>(_ elements: [Element]) -> [Element] {
    var seen: Set<Element> = []
    return elements.filter { seen.insert($0).inserted }
  }
}

extension RouteParameter {
  fileprivate func isSame(as other: RouteParameter) -> Bool { name == other.name && place == other.place }
}

extension RouteTable {
  /// What is served, each method of each path once, in the order of registration.
  var operations: [RouteOperation] {
    var found: [String: [Place]] = [:]
    var order: [String] = []
    for place in places {
      let key = "\(place.route.method.rawValue) \(place.route.name)"
      if found[key] == nil { order.append(key) }
      found[key, default: []].append(place)
    }
    return order.compactMap { found[$0].map(RouteOperation.init) }
  }
}
