/// Writes an answer piece by piece. Each write returns when the socket has taken the piece, so a slow client
/// holds one piece in memory, not the answer.
package protocol AnswerStream: Sendable {
  /// Sends status and header fields. From here on a failure can only cut the connection.
  func begin(
    _ status: HTTPStatus, contentType: String, headers: [(name: String, value: String)]
  ) async throws(Problem)

  /// - Throws: When the client is gone or took nothing for `server.stall_seconds`.
  func write(_ bytes: [UInt8]) async throws(Problem)
}
