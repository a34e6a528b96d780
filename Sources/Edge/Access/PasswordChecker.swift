import Codecs
import Platform
import Records
import Synchronization

/// Checks and makes password hashes on threads of its own, so many at a time and no more: each takes a core
/// for 100 ms and 32 MiB.
package final class PasswordChecker: Sendable {
  private let pool: WorkerPool
  private let waiting = Atomic<Int>(0)
  private let waitingMax: Int
  private let cost: PasswordCost
  private let entropy: any EntropySource
  /// What a password of an unknown user is compared with, so that both answers take the same time.
  private let decoy = Mutex<PasswordHash?>(nil)

  /// - Parameter waitingMax: One more waiting is refused: it would wait for many seconds.
  package init(
    threads: Int, waitingMax: Int = 64, cost: PasswordCost = .interactive,
    entropy: any EntropySource = SystemEntropy()
  ) {
    pool = WorkerPool(threads: threads, name: "password")
    self.waitingMax = waitingMax
    self.cost = cost
    self.entropy = entropy
  }

  /// Whether `password` fits `stored`; nil stands for an unknown user, whom no password fits.
  func matches(_ password: String, _ stored: PasswordHash?) async throws(AccessError) -> Bool {
    guard PasswordHash.canHash(password) else { return false }
    return try await run { checker throws(AccessError) in
      guard let stored else {
        _ = try checker.decoyHash().matches(password)
        return false
      }
      return try stored.matches(password)
    }
  }

  func hash(_ password: String) async throws(AccessError) -> PasswordHash {
    try await run { checker throws(AccessError) in
      try PasswordHash(of: password, cost: checker.cost, entropy: checker.entropy)
    }
  }

  private func decoyHash() throws(AccessError) -> PasswordHash {
    if let known = decoy.withLock({ $0 }) { return known }
    let made = try PasswordHash(
      of: Base64URL.text(entropy.bytes(16)), cost: cost, entropy: entropy)
    decoy.withLock { $0 = made }
    return made
  }

  private func run<Value: Sendable>(
    _ body: @escaping @Sendable (PasswordChecker) throws(AccessError) -> Value
  ) async throws(AccessError) -> Value {
    defer { waiting.subtract(1, ordering: .relaxed) }
    guard waiting.add(1, ordering: .relaxed).newValue <= waitingMax else { throw .overloaded }
    return try await pool.run { [self] () throws(AccessError) in try body(self) }
  }
}
