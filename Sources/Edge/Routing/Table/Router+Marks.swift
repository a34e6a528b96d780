import Records

// What an answer lacks, on every route of every API
extension Router {
  /// Runs `respond`; its answer says so in `Cordwood-Incomplete` if files that it would have read are damaged
  /// or missing. Who asks with `Prefer: handling=strict` (RFC 7240, §4.4) gets an error instead.
  static func marking(
    _ call: HTTPCall, _ stream: any AnswerStream,
    _ respond: @Sendable (any AnswerStream) async throws(Problem) -> EndpointOutcome
  ) async throws(Problem) -> EndpointOutcome {
    let marks = AnswerMarks(isStrict: call.isStrict)
    let result = await AnswerMarks.$current.withValue(marks) { () -> Result<EndpointOutcome, Problem> in
      do throws(Problem) { return .success(try await respond(MarkedStream(stream, marks))) } catch {
        return .failure(error)
      }
    }
    guard case .answer(var answer) = try result.get() else { return .streamed }
    answer.headers += marks.fields
    return .answer(answer)
  }
}

extension HTTPCall {
  fileprivate var isStrict: Bool {
    head.headers[list: "Prefer"].contains { $0.lowercased() == "handling=strict" }
  }
}

extension AnswerMarks {
  /// The header field; none for a whole answer.
  fileprivate var fields: [(name: String, value: String)] {
    guard let lacking = incompleteness else { return [] }
    let value = "files=\(lacking.fileCount), rows-max=\(lacking.rowCountMax)"
    return [(name: "Cordwood-Incomplete", value: value)]
  }
}

/// Adds what is lacking to the head of a streamed answer.
private struct MarkedStream: AnswerStream {
  private let stream: any AnswerStream
  private let marks: AnswerMarks

  init(_ stream: any AnswerStream, _ marks: AnswerMarks) {
    self.stream = stream
    self.marks = marks
  }

  func begin(
    _ status: HTTPStatus, contentType: String, headers: [(name: String, value: String)]
  ) async throws(Problem) {
    try await stream.begin(status, contentType: contentType, headers: headers + marks.fields)
  }

  func write(_ bytes: [UInt8]) async throws(Problem) { try await stream.write(bytes) }
}
