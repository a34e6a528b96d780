import Columnar
import NIOCore
import Records
import Routing
import Synchronization

/// An answer's pieces on their way to the connection's socket, compressed where the client asked for it: each
/// piece is flushed, so that it is read as soon as it is sent.
final class ConnectionStream: AnswerStream {
  private let connection: HTTPConnection
  private let compression: AnswerCompression
  /// Whether the answer has no body.
  private let isHead: Bool
  private let compressor = Mutex<StreamCompressor?>(nil)

  init(connection: HTTPConnection, compression: AnswerCompression, isHead: Bool) {
    self.connection = connection
    self.compression = compression
    self.isHead = isHead
  }

  func begin(
    _ status: HTTPStatus, contentType: String, headers: [(name: String, value: String)]
  ) async throws(Problem) {
    let own = [("Content-Type", contentType)] + headers
    let fields = compressor.withLock { compressor in
      let (fields, made) = compression.begin(own)
      compressor = made
      return own + fields
    }
    let connection = connection
    try await onLoop { promise in
      connection.take(.streamBegun(status, headers: fields))
      promise.succeed(())
    }
  }

  func write(_ bytes: [UInt8]) async throws(Problem) {
    guard !bytes.isEmpty else { return }
    guard !isHead else { return try await send(bytes) }
    try await send(try packed(bytes) ?? bytes)
  }

  /// The answer is complete: what ends the compressed bytes is sent.
  func finish() async throws(Problem) {
    guard !isHead, let last = try packed(nil) else { return }
    try await send(last)
  }

  /// What compressed bytes come of the next piece, or of the end; nil: nothing is compressed.
  private func packed(_ piece: [UInt8]?) throws(Problem) -> [UInt8]? {
    let result: Result<[UInt8]?, Problem> = compressor.withLock { compressor in
      guard let compressor else { return .success(nil) }
      do throws(ColumnarError) {
        guard let piece else { return .success(try compressor.finish()) }
        return .success(try compressor.compress(piece.span))
      } catch {
        return .failure(Problem(503, "There is no memory to compress the answer.", retryAfterSeconds: 1))
      }
    }
    return try result.get()
  }

  private func send(_ bytes: [UInt8]) async throws(Problem) {
    let connection = connection
    let memory = MemoryReservation(of: connection.service.answers)
    do throws(StoreError) { try memory.take(bytes.count) } catch { throw .tooManyAnswers }
    defer { withExtendedLifetime(memory) {} }
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
