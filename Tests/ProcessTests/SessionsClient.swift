import Foundation
import Testing

/// A row as the sessions API takes and gives it.
struct SessionRow: Hashable {
  let timestamp: String
  let level: String?
  let message: String?

  init(timestamp: String, level: String?, message: String?) {
    self.timestamp = timestamp
    self.level = level
    self.message = message
  }

  /// The row that a writer sends as its `number`th: the times are out of order, since the order of rows is
  /// that of writes.
  init(number: Int, padding: String = "") {
    let minute = number * 37 % 60
    timestamp = "2026-01-01T00:\(minute < 10 ? "0" : "")\(minute):00+00:00"
    level = ["INFO", "WARN", nil][number % 3]
    message = "\(number)\(padding)"
  }

  var object: [String: Any] {
    ["timestamp": timestamp, "level": level ?? NSNull(), "message": message ?? NSNull()]
  }
}

/// An answer of `GET /api/logs/{container}/{session}`.
struct SessionPage {
  let body: [UInt8]
  let isChunked: Bool
  let json: [String: Any]
  let rows: [SessionRow]

  var keys: Set<String> { Set(json.keys) }
  var cursor: String? { json["cursor"] as? String }

  /// The bytes of the rows alone.
  var rowBytes: ArraySlice<UInt8> {
    let text = Data(body)
    guard let start = text.range(of: Data("\"logs\":[".utf8)),
      let end = text.range(of: Data("],\"files_scanned\"".utf8), options: .backwards)
    else { return [] }
    return body[start.upperBound..<end.lowerBound]
  }
}

/// A user's view of the sessions API, over a connection that stays open. Used by one thread.
final class SessionsClient {
  let port: Int
  let token: String
  private var connection: HTTPConnection?

  init(port: Int, token: String) {
    self.port = port
    self.token = token
  }

  convenience init(port: Int, user: String = "admin", password: String = "admin") throws {
    let answer = try SessionsClient.login(port: port, user: user, password: password)
    guard answer.status == 200, let token = try answer.object()["token"] as? String else {
      throw WireError.malformed("login: \(answer.status) \(answer.text)")
    }
    self.init(port: port, token: token)
  }

  static func login(port: Int, user: String, password: String) throws -> HTTPAnswer {
    let body = try JSONSerialization.data(withJSONObject: ["username": user, "password": password])
    return try HTTPConnection(port: port).request(
      "POST", "/api/auth/login", headers: ["Content-Type": "application/json"], body: [UInt8](body))
  }

  func request(
    _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8]? = nil
  ) throws -> HTTPAnswer {
    var all = ["Authorization": "Bearer \(token)"]
    if body != nil { all["Content-Type"] = "application/json" }
    let open = try connection ?? HTTPConnection(port: port)
    connection = nil
    let answer = try open.request(method, path, headers: all.merging(headers) { $1 }, body: body ?? [])
    if answer.isComplete, answer.headers["connection"]?.lowercased() != "close" { connection = open }
    return answer
  }

  func post(_ path: String, _ object: [String: Any]) throws -> HTTPAnswer {
    try request("POST", path, body: [UInt8](try JSONSerialization.data(withJSONObject: object)))
  }

  /// A container and a session in it; a container that is there already is fine.
  func make(_ container: String, _ session: String) throws {
    let first = try post("/api/containers", ["container_id": container])
    guard first.status == 201 || first.status == 409 else { throw WireError.malformed(first.text) }
    let second = try post("/api/containers/\(container)/sessions", ["session_id": session])
    guard second.status == 201 else { throw WireError.malformed(second.text) }
  }

  func makeUser(_ name: String, _ password: String) throws -> HTTPAnswer {
    try post("/api/users", ["username": name, "password": password])
  }

  /// - Parameter place: `container/session`.
  func write(_ rows: some Sequence<SessionRow>, to place: String) throws -> HTTPAnswer {
    try post("/api/logs/" + place, ["logs": rows.map(\.object)])
  }

  /// - Parameter query: Without the question mark.
  func read(_ place: String, _ query: String = "") throws -> SessionPage {
    let answer = try request("GET", "/api/logs/\(place)?\(query)")
    guard answer.status == 200, answer.isComplete else {
      throw WireError.malformed(
        "\(place)?\(query): \(answer.status), complete: \(answer.isComplete): \(answer.text)")
    }
    let json = try answer.object()
    let names = place.split(separator: "/").map { String($0) }
    guard let logs = json["logs"] as? [[String: Any]] else { throw WireError.malformed(answer.text) }
    let rows = try logs.map { log in
      guard let timestamp = log["timestamp"] as? String, let level = log["level"],
        let message = log["message"],
        log["container"] as? String == names[0], log["session"] as? String == names[1], log.count == 5
      else { throw WireError.malformed("\(place): \(log)") }
      return SessionRow(timestamp: timestamp, level: level as? String, message: message as? String)
    }
    return SessionPage(
      body: answer.body, isChunked: answer.headers["transfer-encoding"] == "chunked", json: json, rows: rows)
  }

  /// All pages from the first on; ends with the one that has no cursor.
  func readPages(_ place: String, _ query: String, afterFirst: () -> Void = {}) throws -> [SessionPage] {
    var pages = [try read(place, query)]
    afterFirst()
    while let cursor = pages.last?.cursor {
      pages.append(try read(place, query + "&cursor=" + cursor))
      guard pages.count < 10_000 else { throw WireError.malformed("\(place): pages without end") }
    }
    return pages
  }
}

extension HTTPAnswer {
  func object() throws -> [String: Any] {
    guard let object = try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else {
      throw WireError.malformed(text)
    }
    return object
  }

  /// The text of an error of the sessions API; nil if the body is not just that.
  var error: String? {
    // No JSON at all is no such error.
    guard let object = try? object(), object.count == 1 else { return nil }
    return object["error"] as? String
  }
}
