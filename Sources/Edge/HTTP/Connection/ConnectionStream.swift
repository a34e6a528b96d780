import NIOCore
import NIOHTTP1
import Routing

/// An answer's pieces on their way to the connection's socket.
struct ConnectionStream: AnswerStream {
  let connection: HTTPConnection

  func begin(
    _ status: HTTPStatus, contentType: String, headers: [(name: String, value: String)]
  ) async throws(Problem) {
    try await onLoop { promise in
      connection.beginStream(
        HTTPResponseStatus(statusCode: status.code), headers: [("Content-Type", contentType)] + headers)
      promise.succeed(())
    }
  }

  func write(_ bytes: [UInt8]) async throws(Problem) {
    guard !bytes.isEmpty else { return }
    let buffer = ByteBuffer(bytes: bytes)
    try await onLoop { promise in connection.writeStream(buffer, promise: promise) }
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
