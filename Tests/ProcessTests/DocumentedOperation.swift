import Foundation
import Testing

/// An operation of the server's OpenAPI document, and requests made from it.
struct DocumentedOperation {
  struct Request: CustomStringConvertible {
    var method: String
    var target: String
    var headers: [String: String] = [:]
    var body = ""
    var description: String { "\(method) \(target) \(body)" }
  }

  struct Parameter {
    let name: String
    let isPath: Bool
    /// The values a schema lists, its least number, or a time beyond all; nil: any text.
    let values: [String]?
    /// Whether clients send it though it says nothing.
    let isPassedOver: Bool
  }

  let method: String
  let path: String
  let parameters: [Parameter]
  /// Whether a repeat under one key gets the first answer.
  let isIdempotent: Bool
  /// Header fields without which nothing is answered.
  let fields: [String: String]
  let bodies: [String]
  let mediaType: String?
  /// Whose credentials open it.
  let kinds: Set<IsolatedCaller.Kind>

  /// Whether anybody may ask.
  let isOpen: Bool

  var name: String { "\(method) \(path)" }

  /// Whether it only asks.
  let isRead: Bool

  /// Beside the document's example: what asks for, or deletes, all there is.
  private static let cubes = [
    #"{"measures":["logs.count"],"dimensions":["logs.action","logs.user_id"]}"#,
    #"{"measures":["workflows.count"],"dimensions":["workflows.ticket_id"]}"#,
  ]
  private static let datasets = ["logs", "audit", "workflows", "queries", "sessions"]
  private static let queries = datasets.flatMap {
    [#"{"dataset":"\#($0)"}"#, #"{"dataset":"\#($0)","measures":["count"]}"#]
  }
  private static let moreBodies: [String: [String]] = [
    "/v1/query": queries, "/ui/v1/query": queries,
    "/cubejs-api/v1/load": cubes.map { #"{"query":\#($0)}"# },
    // The example is an entry of the audit API, which has the path too.
    "/api/v1/logs": [#"{"environment":"production","executed_at":"2026-01-01T00:00:00Z"}"#],
    "/v1/admin/tokens/generate": [#"{"service_name":"new-service","description":"A key"}"#],
    "/ui/v1/delete": datasets.map { #"{"dataset":"\#($0)","where":{"and":[]}}"# },
    "/v1/delete": datasets.map { #"{"dataset":"\#($0)","where":{"and":[]}}"# },
  ]
  /// Credentials that no caller here has, so that all are strangers to what they open; other suites have
  /// them.
  private static let otherSchemes: Set<String> = ["queryToken", "ingestKey", "ingestAdmin"]
  /// What nobody has, by parameter.
  private static let unknown = [
    "id": "01890000-0000-7000-8000-000000000000", "container": "box-of-nobody", "session": "run-of-nobody",
    "realm": "workflow", "name": "nobody", "index": "index-of-nobody",
    "user": "nobody", "token": "token-of-nobody",
  ]

  static func all(of server: ServerProcess) throws -> [DocumentedOperation] {
    let document = try server.request("GET", "/openapi.json").object()
    guard let paths = document["paths"] as? [String: [String: [String: Any]]] else {
      throw WireError.malformed("no paths")
    }
    return try paths.sorted { $0.key < $1.key }.flatMap { path, methods in
      try methods.sorted { $0.key < $1.key }.map { try DocumentedOperation($0, path, $1) }
    }
  }

  private init(_ method: String, _ path: String, _ details: [String: Any]) throws {
    self.method = method.uppercased()
    self.path = path
    isRead = method == "get" || details["x-safe"] as? Bool == true
    let items = details["parameters"] as? [[String: Any]] ?? []
    fields = Dictionary(
      uniqueKeysWithValues: items.compactMap { item in
        guard item["in"] as? String == "header", item["required"] as? Bool == true,
          let name = item["name"] as? String,
          let values = (item["schema"] as? [String: Any])?["enum"] as? [String]
        else { return nil }
        return (name, values[0])
      })
    isIdempotent = items.contains { $0["name"] as? String == "Idempotency-Key" }
    parameters = try items.filter { $0["in"] as? String != "header" }.map { item in
      let schema = item["schema"] as? [String: Any] ?? [:]
      guard let name = item["name"] as? String, let place = item["in"] as? String else {
        throw WireError.malformed("\(path): a parameter")
      }
      var values = schema["enum"] as? [String]
      if let least = schema["minimum"] as? Int { values = [String(least)] }
      if schema["type"] as? String == "boolean" { values = ["true"] }
      if schema["description"] as? String == "ISO 8601" { values = ["2200-01-01T00:00:00Z"] }
      if path == "/cubejs-api/v1/load", name == "query" { values = DocumentedOperation.cubes.map(\.escaped) }
      let isKnown = values != nil || DocumentedOperation.unknown[name] != nil
      guard place != "path" || isKnown else {
        throw WireError.malformed("\(path): say what \(name) is of nobody's, and what is each caller's")
      }
      let isPassedOver = (item["description"] as? String ?? "").hasPrefix("Passed over: ")
      return Parameter(name: name, isPath: place == "path", values: values, isPassedOver: isPassedOver)
    }
    let content = (details["requestBody"] as? [String: Any])?["content"] as? [String: [String: Any]]
    mediaType = content?.keys.first
    var bodies: [String] = []
    if let text = content?.values.first?["example"] as? String {
      bodies = [text]
    } else if let example = content?.values.first?["example"] {
      let data = try JSONSerialization.data(withJSONObject: example, options: .sortedKeys)
      bodies = [String(decoding: data, as: UTF8.self)]
    }
    self.bodies = bodies + (self.method == "POST" ? DocumentedOperation.moreBodies[path] ?? [] : [])
    isOpen = (details["security"] as? [[String: Any]] ?? []).isEmpty
    let schemes = (details["security"] as? [[String: Any]] ?? []).flatMap(\.keys)
    let kinds: [String: IsolatedCaller.Kind] = [
      "nativeKey": .native, "session": .session, "auditToken": .audit, "workflowKey": .workflow,
      "workflowBearer": .workflow, "pageCookie": .page,
    ]
    self.kinds = Set(
      try schemes.compactMap { scheme in
        if DocumentedOperation.otherSchemes.contains(scheme) { return nil }
        guard let kind = kinds[scheme] else { throw WireError.malformed("\(path): who has \(scheme)?") }
        return kind
      })
  }

  // MARK: Requests

  /// What is answered to a query, about what nobody has, with the example of a body.
  func answer(_ server: ServerProcess, _ headers: [String: String], query: String) throws -> HTTPAnswer {
    let path = Dictionary(
      uniqueKeysWithValues: parameters.filter(\.isPath).map {
        ($0.name, $0.values?[0] ?? DocumentedOperation.unknown[$0.name] ?? "")
      })
    let request = request(path, query: query, body: bodies.first ?? "")
    return try server.request(
      request.method, request.target, headers: headers.merging(request.headers) { $1 }, body: request.body)
  }

  private func request(_ path: [String: String], query: String? = nil, body: String = "") -> Request {
    var target = self.path
    for (name, value) in path { target = target.replacingOccurrences(of: "{\(name)}", with: value) }
    if let query { target += "?" + query }
    return Request(
      method: method, target: target,
      headers: fields.merging(mediaType.map { ["Content-Type": $0] } ?? [:]) { $1 }, body: body)
  }

  /// The values of the path's parameters: the caller's own, or nobody's.
  private func ownPath(_ caller: IsolatedCaller) -> [String: String] {
    Dictionary(
      uniqueKeysWithValues: parameters.filter(\.isPath).map { parameter in
        let own = caller.places[parameter.name] ?? DocumentedOperation.unknown[parameter.name]
        return (parameter.name, parameter.values?[0] ?? own ?? "")
      })
  }

  /// The operation with each body and each value of each parameter, one at a time, about what is the caller's
  /// own.
  func requests(for caller: IsolatedCaller, onlyPlain: Bool) -> [Request] {
    let own = ownPath(caller)
    let bodies = bodies.isEmpty ? [""] : bodies
    var all = bodies.map { request(own, body: $0) }
    for parameter in parameters {
      let values = parameter.values ?? [caller.canary]
      for value in values where !parameter.isPath && (!onlyPlain || parameter.name == "query") {
        all.append(request(own, query: "\(parameter.name)=\(value)", body: bodies[0]))
      }
      for value in parameter.values ?? [] where parameter.isPath {
        all += bodies.map { request(own.merging([parameter.name: value]) { $1 }, body: $0) }
      }
    }
    return all
  }

  /// Requests about another's and about nobody's, alike but for the words in question.
  func pairs(
    _ caller: IsolatedCaller, _ other: IsolatedCaller
  ) -> [(theirs: Request, nobodys: Request, words: [String])] {
    let body = bodies.first ?? ""
    let own = ownPath(caller)
    var pairs: [(theirs: Request, nobodys: Request, words: [String])] = []
    let names = parameters.filter { $0.isPath && $0.values == nil && other.places[$0.name] != nil }.map(
      \.name)
    // One of theirs at a time, then all of theirs.
    for some in Set(names.map { [$0] } + (names.isEmpty ? [] : [names])) {
      let theirs = own.merging(some.map { ($0, other.places[$0] ?? "") }) { $1 }
      let nobodys = own.merging(some.map { ($0, DocumentedOperation.unknown[$0] ?? "") }) { $1 }
      pairs.append(
        (
          request(theirs, body: body), request(nobodys, body: body),
          some.flatMap { [theirs[$0] ?? "", nobodys[$0] ?? ""] }
        ))
    }
    for parameter in parameters where !parameter.isPath && parameter.values == nil && isRead {
      let theirs = other.places[parameter.name] ?? other.canary
      let nobodys = parameter.name == "cursor" ? "AAAA" : "canary-of-nobody"
      pairs.append(
        (
          request(own, query: "\(parameter.name)=\(theirs)", body: body),
          request(own, query: "\(parameter.name)=\(nobodys)", body: body), [theirs, nobodys]
        ))
    }
    return pairs
  }
}
