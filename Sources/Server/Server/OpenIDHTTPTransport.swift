import Access
import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Records

/// Asks a provider of sign-ins over HTTP.
struct OpenIDHTTPTransport: OpenIDTransport {
  let client: HTTPClient

  private static let seconds: Int64 = 10

  func send(_ request: OpenIDRequest) async throws(OpenIDFailure) -> OpenIDResponse {
    var message = HTTPClientRequest(url: request.url)
    message.headers.add(name: "Accept", value: "application/json")
    message.headers.add(name: "User-Agent", value: "cordwood/\(RunningServer.version)")
    if let authorization = request.authorization {
      message.headers.add(name: "Authorization", value: authorization)
    }
    if let form = request.form {
      message.method = .POST
      message.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
      message.body = .bytes(ByteBuffer(string: form))
    }
    do { return try await answer(to: message) } catch {
      // Of the address no more than that it was this provider's: tokens stand in forms, never in addresses.
      throw .provider("\(request.url) does not answer as it should: \(error)")
    }
  }

  private struct Late: Error {}

  /// The whole answer within the time: the client's own deadline ends with the answer's head.
  private func answer(to message: HTTPClientRequest) async throws -> OpenIDResponse {
    try await withThrowingTaskGroup(of: OpenIDResponse.self) { group in
      defer { group.cancelAll() }
      group.addTask { [client] in
        let answer = try await client.execute(message, timeout: .seconds(OpenIDHTTPTransport.seconds))
        let body = try await answer.body.collect(upTo: OpenIDResponse.bytesMax)
        return OpenIDResponse(status: Int(answer.status.code), body: Array(body.readableBytesView))
      }
      group.addTask {
        try await Task.sleep(for: .seconds(OpenIDHTTPTransport.seconds))
        throw Late()
      }
      guard let first = try await group.next() else { throw Late() }
      return first
    }
  }
}
