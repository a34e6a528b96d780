import Columnar

extension ContentCoding {
  /// The bytes `body` stands for, taken from `budget`: the caller gives back `count` of them.
  ///
  /// - Throws: 413 beyond `bytesMax`, 503 when the budget is used up, 400 for a broken body; nothing is taken
  ///   then.
  package func decode(
    _ body: [UInt8], bytesMax: Int, budget: UploadBudget
  ) throws(Problem) -> [UInt8] {
    var taken = 0
    do throws(CodingError) {
      return try decode(body.span, bytesMax: bytesMax) { count in
        guard budget.take(count) else { return false }
        taken += count
        return true
      }
    } catch {
      budget.give(taken)
      throw problem(error)
    }
  }

  private func problem(_ error: CodingError) -> Problem {
    switch error {
    case .tooLarge(let max):
      Problem(413, "The body decompresses to more than \(max) bytes (limits.body_bytes_max).")
    case .budgetUsedUp, .outOfMemory: .tooManyUploads
    case .broken, .truncated, .trailingBytes: Problem(400, "The body is not well-formed \(rawValue).")
    }
  }
}

extension Problem {
  /// The upload budget is used up.
  package static let tooManyUploads = Problem(
    503, "Too many uploads at one time (limits.upload_bytes_max, memory.bytes_max).", retryAfterSeconds: 1)

  /// Answers that wait for their clients take all they may.
  package static let tooManyAnswers = Problem(
    503, "There is no memory for this answer now (memory.bytes_max).", retryAfterSeconds: 1)
}
