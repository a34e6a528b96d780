import APIs
import AsyncHTTPClient
import Codecs
import Foundation
import NIOCore
import NIOHTTP1

/// Talks to a server's native API.
struct ServerClient: Sendable {
  let url: String
  let key: String?

  /// One for the process, never shut down: the process ends with its command. A refused connection is told at
  /// once (the library would try for 10 seconds); what is tried again is decided by ``RecordSender``.
  private static let shared = make(readSeconds: nil)
  /// For streams without end: the server's heartbeats come oftener.
  private static let streaming = make(readSeconds: 90)

  private static func make(readSeconds: Int64?) -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.timeout.read = readSeconds.map { .seconds($0) }
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.timeout.connect = .seconds(10)
    // A redirect would take passwords, keys and records to wherever the answer says.
    configuration.redirectConfiguration = .disallow
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }

  init(url: String, key: String?) {
    self.url = url
    self.key = key
  }

  struct Answer: Sendable {
    var status: Int
    var retryAfterSeconds: Int?
    /// The field `WWW-Authenticate`.
    var challenge: String?
    /// The field `Cordwood-Import`.
    var importStanding: String?
    var body: [UInt8]

    /// The problem's sentence, or the status.
    var problem: String {
      if (300..<400).contains(status) {
        return "it redirects (status \(status)), which no command follows; name the right --url"
      }
      // A body that is not ours has no sentence to show.
      guard let tree = try? JSONTree(parsing: body), case .string(let text)? = tree["detail"] ?? tree["error"]
      else {
        return "status \(status)"  // not one of our bodies
      }
      return "\(text) (status \(status))"
    }
  }

  /// One request, its answer read whole.
  func request(
    _ method: HTTPMethod, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
    timeoutSeconds: Int64 = 120
  ) async throws -> Answer {
    let response = try await start(method, path, headers: headers, body: body, timeoutSeconds: timeoutSeconds)
    let bytes = try await response.body.collect(upTo: 64 << 20)
    return Answer(
      status: Int(response.status.code),
      retryAfterSeconds: response.headers.first(name: "Retry-After").flatMap { Int($0) },
      challenge: response.headers.first(name: "WWW-Authenticate"),
      importStanding: response.headers.first(name: ImportField.name),
      body: Array(bytes.readableBytesView))
  }

  /// One request; the caller reads the body as it comes.
  func start(
    _ method: HTTPMethod, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil,
    timeoutSeconds: Int64 = 3600, isStream: Bool = false
  ) async throws -> HTTPClientResponse {
    var request = HTTPClientRequest(url: url + path)
    request.method = method
    for (name, value) in headers { request.headers.add(name: name, value: value) }
    if let key { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
    if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
    let http = isStream ? ServerClient.streaming : ServerClient.shared
    do {
      return try await http.execute(request, timeout: isStream ? .hours(24 * 365) : .seconds(timeoutSeconds))
    } catch {
      throw ServerClient.explained(error, url: url)
    }
  }

  /// The first thing to ask, so that a wrong URL is found at once.
  func checkIsCordwood() async throws {
    let answer = try await request(.GET, "/", timeoutSeconds: 10)
    // Closed to strangers (`server.open_routes`), it says whose it is.
    if answer.status == 401, answer.challenge?.contains("realm=\"cordwood\"") == true { return }
    // An answer that does not parse is no Cordwood's.
    guard answer.status == 200, let tree = try? JSONTree(parsing: answer.body),
      tree["service"] == .string("cordwood")
    else { throw Failure("\(url) is no Cordwood server") }
  }
}

/// The server cannot be reached (now): a retry may help.
struct Unreachable: Error, CustomStringConvertible {
  let url: String
  let reason: String

  var description: String {
    "cannot reach \(url): \(reason). Start a server with `cordwood serve`, or name another with --url."
  }
}
