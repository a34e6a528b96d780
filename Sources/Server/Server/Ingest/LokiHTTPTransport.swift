import AsyncHTTPClient
import Forwarding
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

extension LokiSettings {
  /// The value of `Authorization`; nil: none.
  var authorization: String? {
    if let bearerToken { return "Bearer \(bearerToken)" }
    guard user != nil || password != nil else { return nil }
    return "Basic " + Data("\(user ?? ""):\(password ?? "")".utf8).base64EncodedString()
  }
}

/// Sends pushes to a Loki over HTTP.
struct LokiHTTPTransport: LokiTransport {
  let client: HTTPClient
  let settings: LokiSettings
  let url: String

  func push(_ request: PushRequest) async -> PushOutcome {
    var message = HTTPClientRequest(url: url + settings.pushPath)
    message.method = .POST
    message.headers.add(name: "Content-Type", value: request.contentType)
    message.headers.add(name: "User-Agent", value: "cordwood/\(RunningServer.version)")
    if let encoding = request.contentEncoding {
      message.headers.add(name: "Content-Encoding", value: encoding)
    }
    if let tenant = settings.tenant { message.headers.add(name: "X-Scope-OrgID", value: tenant) }
    if let authorization = settings.authorization {
      message.headers.add(name: "Authorization", value: authorization)
    }
    message.body = .bytes(ByteBuffer(bytes: request.body))
    do {
      let answer = try await client.execute(message, timeout: .seconds(Int64(settings.timeoutSeconds)))
      let text = try await LokiHTTPTransport.start(of: answer.body)
      return .answered(
        status: Int(answer.status.code), retryAfter: answer.headers.first(name: "Retry-After"), text: text)
    } catch {
      return .failed(LokiHTTPTransport.failure(error))
    }
  }

  /// The first bytes of a body. A longer one is read on to a bound, so that its connection can be used again,
  /// and no further.
  private static func start(of body: HTTPClientResponse.Body) async throws -> String {
    var kept: [UInt8] = []
    var readBytes = 0
    for try await piece in body {
      readBytes += piece.readableBytes
      kept += piece.readableBytesView.prefix(PushOutcome.textBytesMax - kept.count)
      // Leaving the loop closes the connection.
      if readBytes > 1 << 20 { break }
    }
    return String(decoding: kept, as: UTF8.self)
  }

  private static func failure(_ error: any Error) -> PushFailure {
    if error is CancellationError { return .cancelled }
    guard let error = error as? HTTPClientError else {
      if error is HTTPParserError { return .garbage }
      return error is IOError ? .cut : .connect
    }
    switch error {
    case .cancelled, .alreadyShutdown: return .cancelled
    case .connectTimeout, .tlsHandshakeTimeout, .getConnectionFromPoolTimeout: return .connect
    case .deadlineExceeded, .readTimeout, .writeTimeout: return .timeout
    case .remoteConnectionClosed: return .cut
    default: return .garbage
    }
  }
}
