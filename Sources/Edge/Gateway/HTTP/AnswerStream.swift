import NIOCore
import NIOHTTP1

/// Writes an answer piece by piece. Each write returns when the socket has taken the piece, so a slow client holds
/// one piece in memory, not the answer.
package struct AnswerStream: Sendable {
  private let connection: HTTPConnection

  init(connection: HTTPConnection) { self.connection = connection }

  /// Sends status and header fields. From here on a failure can only cut the connection.
  package func begin(
    _ status: HTTPResponseStatus = .ok, contentType: String, headers: [(name: String, value: String)] = []
  ) async throws(Problem) {
    try await onLoop { promise in
      connection.beginStream(status, headers: [("Content-Type", contentType)] + headers)
      promise.succeed(())
    }
  }

  /// - Throws: When the client is gone or took nothing for `server.stall_seconds`.
  package func write(_ bytes: ByteBuffer) async throws(Problem) {
    guard bytes.readableBytes > 0 else { return }
    try await onLoop { promise in connection.writeStream(bytes, promise: promise) }
  }

  private func onLoop(_ body: @escaping @Sendable (EventLoopPromise<Void>) -> Void) async throws(Problem) {
    let loop = connection.loop
    let promise = loop.makePromise(of: Void.self)
    if loop.inEventLoop { body(promise) } else { loop.execute { body(promise) } }
    do {
      try await promise.futureResult.get()
    } catch {
      throw Problem(499, "The client went away before the answer's end.")
    }
  }
}
