import Access
import Codecs
import Platform
import Records
import Synchronization

/// Answers that wait for the browser to fetch them: each under an address that is good once, for a minute,
/// and for who asked for it.
final class PageDownloads: Sendable {
  /// What is fetched.
  struct Waiting: Sendable {
    let caller: PageCaller
    let tenant: Tenant
    /// A query.
    let body: [UInt8]
    let form: AnswerForm
    /// What the file is called.
    let fileName: String
    fileprivate var expiresAt: Int64 = 0

    init(caller: PageCaller, tenant: Tenant, body: [UInt8], form: AnswerForm, fileName: String) {
      self.caller = caller
      self.tenant = tenant
      self.body = body
      self.form = form
      self.fileName = fileName
    }
  }

  /// Where they are fetched.
  static let path = "/ui/v1/downloads/{token}"
  static let seconds = 60
  /// Of all callers, and of one.
  static let countMax = 256
  static let callerCountMax = 32
  /// Of a query.
  static let bodyBytesMax = 64 << 10

  private let clock: any WallClock
  private let entropy: any EntropySource
  private let waiting = Mutex<[TokenHash: Waiting]>([:])

  init(clock: any WallClock, entropy: any EntropySource = SystemEntropy()) {
    self.clock = clock
    self.entropy = entropy
  }

  /// The token under which it waits; nil: too many wait.
  func add(_ download: Waiting) -> String? {
    let now = clock.now()
    let text = Base64URL.text(entropy.bytes(32))
    return waiting.withLock { waiting in
      waiting = waiting.filter { PageDownloads.isGood($0.value, now) }
      guard waiting.count < PageDownloads.countMax,
        waiting.count(where: { $0.value.caller.isSame(as: download.caller) }) < PageDownloads.callerCountMax
      else { return nil }
      var download = download
      download.expiresAt = now + Int64(PageDownloads.seconds) * 1_000_000_000
      waiting[TokenHash(of: text)] = download
      return text
    }
  }

  /// What waits under the token for the caller, once; nil: nothing.
  func take(_ token: String, for caller: PageCaller) -> Waiting? {
    let (hash, now) = (TokenHash(of: token), clock.now())
    return waiting.withLock { waiting in
      // Another's stays: who guesses must not end it.
      guard let found = waiting[hash], found.caller.isSame(as: caller) else { return nil }
      waiting[hash] = nil
      return PageDownloads.isGood(found, now) ? found : nil
    }
  }

  /// Not by a clock that was set back by more than its time.
  private static func isGood(_ download: Waiting, _ now: Int64) -> Bool {
    now < download.expiresAt && download.expiresAt - now <= Int64(seconds) * 1_000_000_000
  }
}
