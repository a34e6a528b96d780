import Codecs
import Platform
import Records
import Synchronization

/// Checks and makes password hashes on threads of its own, so many at a time and no more: each takes a core
/// for 100 ms and 32 MiB.
package final class PasswordChecker: Sendable {
  /// A password's turn: whether it fits, or why that was not looked at.
  private struct Job: Sendable {
    let password: String
    let stored: PasswordHash?
    let mayStart: @Sendable () throws(AccessError) -> Void
    let continuation: CheckedContinuation<Result<Bool, AccessError>, Never>
  }

  /// Hashes that wait to be made.
  private static let makingMax = 64

  private let pool: WorkerPool
  private let queue: PasswordQueue<Job>
  /// Hashes to make, oldest first: they come before all that is to be checked.
  private let making = Mutex<[@Sendable () -> Void]>([])
  private let waitingMax: Int
  private let cost: PasswordCost
  private let entropy: any EntropySource
  /// What a password of an unknown user is compared with, so that both answers take the same time.
  private let decoy = Mutex<PasswordHash?>(nil)

  /// - Parameter waitingMax: One more waiting, of those of one standing, is one too many. Far more networks
  ///   than are likely to attack at once: as each has its turn, nobody is kept out, only kept waiting.
  package init(
    threads: Int, waitingMax: Int = 512, cost: PasswordCost = .interactive,
    entropy: any EntropySource = SystemEntropy()
  ) {
    pool = WorkerPool(threads: threads, name: "password")
    queue = PasswordQueue(waitingMax: waitingMax)
    self.waitingMax = waitingMax
    self.cost = cost
    self.entropy = entropy
  }

  /// Whether `password` fits `stored`; nil stands for an unknown user, whom no password fits.
  ///
  /// - Parameters:
  ///   - network: From where; waits in turn with others.
  ///   - mayStart: Asked when its turn has come, before anything is computed; what it throws is thrown.
  /// - Throws: `overloaded`: too many wait.
  func matches(
    _ password: String, _ stored: PasswordHash?, of network: Name, _ standing: LoginStanding,
    mayStart: @escaping @Sendable () throws(AccessError) -> Void
  ) async throws(AccessError) -> Bool {
    guard PasswordHash.canHash(password) else { return false }
    let result = await withCheckedContinuation { continuation in
      let job = Job(password: password, stored: stored, mayStart: mayStart, continuation: continuation)
      if let other = queue.add(job, of: network, standing) {
        other.continuation.resume(returning: .failure(.overloaded))
        // The turn that the other had asked for is this one's, unless it was itself.
        return
      }
      pool.submit { [self] in turn() }
    }
    return try result.get()
  }

  /// Hashes that wait to be made.
  var makingCount: Int { making.withLock { $0.count } }

  /// One a job: whose it is is decided when it comes.
  private func turn() {
    if let make = making.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return make() }
    if let job = queue.next() { job.continuation.resume(returning: run(job)) }
  }

  private func run(_ job: Job) -> Result<Bool, AccessError> {
    Result { () throws(AccessError) in
      try job.mayStart()
      guard let stored = job.stored else {
        _ = try decoyHash().matches(job.password)
        return false
      }
      return try stored.matches(job.password)
    }
  }

  /// A hash to keep. Who asks is let in already: those who are not yet do not keep him waiting.
  ///
  /// - Throws: `overloaded`: too many are being made.
  func hash(_ password: String) async throws(AccessError) -> PasswordHash {
    let result: Result<PasswordHash, AccessError> = await withCheckedContinuation { continuation in
      let make = { @Sendable [self] in
        continuation.resume(
          returning: Result { () throws(AccessError) in
            try PasswordHash(of: password, cost: cost, entropy: entropy)
          })
      }
      let isKept = making.withLock { waiting in
        guard waiting.count < min(waitingMax, PasswordChecker.makingMax) else { return false }
        waiting.append(make)
        return true
      }
      guard isKept else { return continuation.resume(returning: .failure(.overloaded)) }
      pool.submit { [self] in turn() }
    }
    return try result.get()
  }

  private func decoyHash() throws(AccessError) -> PasswordHash {
    if let known = decoy.withLock({ $0 }) { return known }
    let made = try PasswordHash(
      of: Base64URL.text(entropy.bytes(16)), cost: cost, entropy: entropy)
    decoy.withLock { $0 = made }
    return made
  }
}
