import APIs
import Codecs
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
    case stored(Refused)
    /// The import goes on behind this piece; nil: nothing is stored of it.
    case elsewhere(ImportPart?)
  }

  /// Records that were left out.
  struct Refused: Sendable {
    var count = 0
    /// The first hundred of them, by their place in what was sent.
    var entries: [Int] = []
  }

  /// A record that the server refuses, and with it all that was sent.
  struct Refusal: Error, CustomStringConvertible {
    /// Its place in what was sent; nil: it is not about one.
    let entry: Int?
    let reason: String

    var description: String { "the server refused: \(reason)" }
  }

  /// Returns once the server has stored the batch (or had it already), or says where the import goes on.
  ///
  /// - Parameters:
  ///   - lines: A record each.
  ///   - skips: Whether records that are refused are left out.
  func send(_ lines: [UInt8], part: ImportPart, skips: Bool) async throws -> Outcome {
    let answer = try await send(lines, (ImportField.name, ImportField.text(of: part)), skips: skips)
    if answer.status == 200 { return .stored(RecordSender.refused(answer)) }
    guard let standing = answer.importStanding else { throw RecordSender.early }
    if answer.status == 201 { return .stored(RecordSender.refused(answer)) }
    guard let last = ImportField.last(of: part.name, standing) else {
      throw Failure("the server refused: \(answer.problem)")
    }
    return .elsewhere(last.range.isEmpty ? nil : last)
  }

  /// Returns once the server has stored the batch (or had it already).
  func send(_ lines: [UInt8], key: String, skips: Bool) async throws -> Refused {
    RecordSender.refused(try await send(lines, ("Idempotency-Key", key), skips: skips))
  }

  /// The last piece that is stored of an import; nil: none is. Stores nothing.
  ///
  /// - Parameter probe: A record that may be sent.
  func standing(of name: String, probe: [UInt8]) async throws -> ImportPart? {
    // Nothing was stored so far up that this could follow it.
    let place = Int64(999_999_999_999_998)
    let part = ImportPart(name: name, range: place..<place + 1, note: "")
    do {
      let field = (ImportField.name, ImportField.text(of: part))
      let answer = try await send(probe, field, skips: false)
      guard let standing = answer.importStanding, answer.status != 201 else { throw RecordSender.early }
      let last = ImportField.last(of: name, standing)
      return last?.range.isEmpty == true ? nil : last
    } catch is Refusal {
      // A dataset that takes no such record: the pieces themselves are told where they belong.
      return nil
    }
  }

  private static let early = Failure(
    "the server is of an earlier version, which does not know how far an import has come. "
      + "What this request held is stored.")

  private static func refused(_ answer: ServerClient.Answer) -> Refused {
    // A body that is not ours tells of nothing.
    guard let tree = try? JSONTree(parsing: answer.body), case .int64(let count)? = tree["rejected"] else {
      return Refused()
    }
    var refused = Refused(count: Int(count))
    if case .array(let errors)? = tree["errors"] {
      refused.entries = errors.compactMap { error in
        guard case .int64(let entry)? = error["entry"] else { return nil }
        return Int(entry)
      }
    }
    return refused
  }

  /// Returns the answer 201 or 200, or the one that says where an import goes on.
  private func send(
    _ lines: [UInt8], _ field: (String, String), skips: Bool
  ) async throws -> ServerClient.Answer {
    let body = target.body(lines)
    let path = skips ? target.skippingPath : target.path
    var waited = 0.0
    var attempt = 0
    while true {
      attempt += 1
      let reason: String
      var asked: Int?
      do {
        let answer = try await client.request(
          .POST, path, headers: [("Content-Type", target.contentType), field], body: body)
        if answer.status == 201 || answer.status == 200 || answer.isElsewhere { return answer }
        guard RecordSender.mayPass(answer.status) else {
          throw Refusal(entry: answer.entry, reason: answer.problem)
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

extension ServerClient.Answer {
  /// Whether it says where an import goes on.
  fileprivate var isElsewhere: Bool { status == 409 && importStanding != nil }

  /// Which record a problem is about.
  fileprivate var entry: Int? {
    // A body that is not ours names none.
    guard let tree = try? JSONTree(parsing: body), case .int64(let entry)? = tree["entry"] else { return nil }
    return Int(entry)
  }
}
