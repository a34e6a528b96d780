import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// The native API's route for records, over AsyncHTTPClient.
struct HTTPTransport: Transport {
  private let client: HTTPClient
  private let url: String
  private let headers: HTTPHeaders
  private let timeout: TimeAmount

  /// Answers are short; one that is not is no answer of Cordwood's.
  private static let answerBytesMax = 64 << 10

  /// - Parameters:
  ///   - server: `http://host:port`, with or without a path that a proxy has the server under.
  ///   - key: A native key, as Bearer; none if nil.
  init(client: HTTPClient, server: String, key: String?, timeout: Duration) {
    self.client = client
    url = HTTPTransport.url(server)
    var headers: HTTPHeaders = ["Content-Type": "application/x-ndjson"]
    if let key { headers.add(name: "Authorization", value: "Bearer \(key)") }
    self.headers = headers
    // A day at most, so that no number overflows.
    let (seconds, attoseconds) = min(max(timeout, .zero), .seconds(86_400)).components
    self.timeout = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }

  /// One bad record does not take the others with it.
  static func url(_ server: String) -> String {
    var end = server[...]
    while end.utf8.last == UInt8(ascii: "/") { end = end.dropLast() }
    return end + "/v1/records/logs?on_error=skip"
  }

  func send(_ body: [UInt8], key: String) async throws -> TransportAnswer {
    var request = HTTPClientRequest(url: url)
    request.method = .POST
    request.headers = headers
    request.headers.add(name: "Idempotency-Key", value: key)
    request.body = .bytes(ByteBuffer(bytes: body))
    let response = try await client.execute(request, timeout: timeout)
    let answer = try await response.body.collect(upTo: HTTPTransport.answerBytesMax)
    return TransportAnswer(
      status: Int(response.status.code),
      retryAfterSeconds: response.headers.first(name: "Retry-After").flatMap { Int($0) },
      rejectedCount: HTTPTransport.rejectedCount(answer.readableBytesView))
  }

  /// The number of the member `rejected` of an answer; 0 if it has none.
  static func rejectedCount(_ answer: some Collection<UInt8>) -> Int {
    let name = Array("\"rejected\":".utf8)
    var rest = answer[...]
    while let start = rest.firstIndex(of: name[0]) {
      rest = rest[start...]
      if rest.starts(with: name) {
        let digits = rest.dropFirst(name.count).prefix { 0x30...0x39 ~= $0 }
        return Int(String(decoding: digits, as: UTF8.self)) ?? 0
      }
      rest = rest.dropFirst()
    }
    return 0
  }
}
