import APIs
import Foundation
import NIOHTTP1
import Records

/// Sends batches and insists: what may pass by itself is tried again, with growing pauses.
struct RecordSender: Sendable {
  let client: ServerClient
  let target: ImportTarget
  /// How long one batch is tried again before the import gives up.
  let retrySeconds: Int
  /// Told once a batch has to wait.
  let onRetry: @Sendable (String) -> Void

  /// The pause before try `attempt` (from 1): 0.1 s doubled up to 10 s, half of it random; at least what the
  /// server asks.
  static func pauseSeconds(attempt: Int, asked: Int?, random: Double) -> Double {
    let base = min(0.1 * Double(1 << min(attempt - 1, 10)), 10)
    return max(base * (0.5 + random / 2), Double(asked ?? 0))
  }

  /// Whether a status can pass by itself.
  static func mayPass(_ status: Int) -> Bool {
    switch status {
    case 408, 429, 502, 503, 504, 507: true
    default: false
    }
  }

  /// What a server says to a piece of an import.
  enum Outcome: Sendable {
    case stored
    /// The import goes on behind this piece; nil: nothing is stored of it.
    case elsewhere(ImportPart?)
  }

  /// Returns once the server has stored the batch (or had it already), or says where the import goes on.
  ///
  /// - Parameter lines: A record each.
  func send(_ lines: [UInt8], part: ImportPart) async throws -> Outcome {
    let answer = try await send(lines, field: (ImportField.name, ImportField.text(of: part)))
    guard let standing = answer.importStanding else {
      throw Failure(
        "the server is of an earlier version, which does not know how far an import has come. "
          + "What this request held is stored.")
    }
    if answer.status == 201 { return .stored }
    guard let last = ImportField.last(of: part.name, standing) else {
      throw Failure("the server refused: \(answer.problem)")
    }
    return .elsewhere(last.range.isEmpty ? nil : last)
  }

  /// Returns once the server has stored the batch (or had it already).
  func send(_ lines: [UInt8], key: String) async throws {
    _ = try await send(lines, field: ("Idempotency-Key", key))
  }

  /// Returns the answer 201, or the one that says where an import goes on.
  private func send(_ lines: [UInt8], field: (String, String)) async throws -> ServerClient.Answer {
    let body = target.body(lines)
    var waited = 0.0
    var attempt = 0
    while true {
      attempt += 1
      let reason: String
      var asked: Int?
      do {
        let answer = try await client.request(
          .POST, target.path, headers: [("Content-Type", target.contentType), field],
          body: body)
        if answer.status == 201 || (answer.status == 409 && answer.importStanding != nil) { return answer }
        guard RecordSender.mayPass(answer.status) else {
          throw Failure("the server refused: \(answer.problem)")
        }
        reason = answer.problem
        asked = answer.retryAfterSeconds
      } catch let error as Unreachable {
        reason = error.description
      }
      let pause = RecordSender.pauseSeconds(attempt: attempt, asked: asked, random: Double.random(in: 0...1))
      guard waited + pause <= Double(retrySeconds) else {
        throw Failure("gave up after \(Int(waited)) s: \(reason) The same command goes on from here.")
      }
      onRetry(reason)
      try await Task.sleep(for: .milliseconds(Int(pause * 1000)))
      waited += pause
    }
  }
}
