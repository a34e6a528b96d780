import Encoding
import Querying
import Records
import Routing

/// The encoded rows of one answer, piece by piece. Used by one task.
package protocol AnswerChunks: AnyObject {
  /// The next bytes; nil at the end.
  func next() async throws(StoreError) -> [UInt8]?
}

/// An answer's batches, encoded one after the other.
final class EncodedAnswer: AnswerChunks, @unchecked Sendable {
  // Safe because: its one task awaits each piece of work before the following one.
  /// Small batches are joined up to here, so that a piece is worth a write.
  static let pieceBytes = 64 * 1024

  private let answer: QueryAnswer
  private let encoder: any BatchEncoder
  private let seal: @Sendable (String) -> String
  private var hasBegun = false
  private var isFinished = false

  /// - Parameter seal: What the client gets of a cursor.
  init(
    _ answer: QueryAnswer, sealing seal: @escaping @Sendable (String) -> String = { $0 },
    encoder make: () throws(EncodingError) -> any BatchEncoder
  ) throws(StoreError) {
    self.answer = answer
    self.seal = seal
    do throws(EncodingError) { encoder = try make() } catch {
      throw .memoryExhausted("the answer could not be encoded")
    }
  }

  func next() async throws(StoreError) -> [UInt8]? {
    guard !isFinished else { return nil }
    var piece: [UInt8] = []
    if !hasBegun {
      hasBegun = true
      piece += try encoded { encoder throws(EncodingError) in try encoder.begin() }
    }
    while piece.count < EncodedAnswer.pieceBytes {
      guard let batch = try await answer.next() else {
        isFinished = true
        let cursor = answer.cursor.map(seal)
        return piece + (try encoded { encoder throws(EncodingError) in try encoder.end(cursor: cursor) })
      }
      let bytes = try await encoded(batch)
      try answer.hold(piece.count + bytes.count + encoder.bytesHeld)
      piece = piece.isEmpty ? bytes : piece + bytes
    }
    return piece
  }

  /// Batches of more rows are encoded among the tenant's queries: in milliseconds, for which nobody else's
  /// answer waits.
  private static let rowsInline = 1_024

  private func encoded(_ batch: RecordBatch) async throws(StoreError) -> [UInt8] {
    let encode = { @Sendable [self] () throws(StoreError) in
      try encoded { encoder throws(EncodingError) in try encoder.encode(batch) }
    }
    return batch.rowCount <= EncodedAnswer.rowsInline ? try encode() : try await answer.aside(encode)
  }

  private func encoded(
    _ body: (any BatchEncoder) throws(EncodingError) -> [UInt8]
  ) throws(StoreError) -> [UInt8] {
    do throws(EncodingError) { return try body(encoder) } catch {
      throw .memoryExhausted("the answer could not be encoded")
    }
  }
}

extension AnswerChunks {
  /// Sends the answer: at once with its length if it is one piece, unless `isStreamed`, else in chunks as
  /// they are made.
  func send(
    contentType: String, isStreamed: Bool = false, headers: [(name: String, value: String)] = [],
    through stream: any AnswerStream
  ) async throws(Problem) -> EndpointOutcome {
    let first = try await piece() ?? []
    let second = try await piece()
    guard isStreamed || second != nil else {
      return .answer(
        HTTPAnswer(.ok, contentType: contentType, headers: headers, body: first))
    }
    try await stream.begin(.ok, contentType: contentType, headers: headers)
    try await stream.write(first)
    if let second { try await stream.write(second) }
    while let bytes = try await piece() { try await stream.write(bytes) }
    return .streamed
  }

  private func piece() async throws(Problem) -> [UInt8]? {
    do throws(StoreError) { return try await next() } catch { throw Problem(error) }
  }
}
