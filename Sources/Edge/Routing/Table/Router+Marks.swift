import Codecs
import Records

// What an answer lacks, on every route of every API
extension Router {
  /// Runs `respond`; its answer says so in `Cordwood-Incomplete` if files that it would have read are damaged
  /// or missing, and in `Cordwood-Approximate` if it is of groups that there was no memory for. Who asks with
  /// `Prefer: handling=strict` (RFC 7240, §4.4) gets an error instead.
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
    head.headers[list: "Prefer"].contains { $0.asciiLowercased.hasBytes(of: "handling=strict") }
  }
}

extension AnswerMarks {
  /// The header fields; none for a whole and exact answer.
  fileprivate var fields: [(name: String, value: String)] {
    var fields: [(name: String, value: String)] = []
    if let lacking = incompleteness {
      let value = "files=\(lacking.fileCount), rows-max=\(lacking.rowCountMax)"
      fields.append((name: "Cordwood-Incomplete", value: value))
    }
    let guesses = approximations.map { "error-bound=" + ($0.boundText ?? "none") }
    if !guesses.isEmpty {
      fields.append((name: "Cordwood-Approximate", value: guesses.joined(separator: ", ")))
    }
    return fields
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
