import Access
import Foundation
import Platform
import Records
import TestKit

/// A control database in a folder that goes when the test ends, with a clock the test sets.
final class AccessBench {
  let folder: String
  let clock = ManualClock(1_700_000_000_000_000_000)
  let database: ControlDatabase
  let accounts: Accounts
  let catalog: SessionCatalog
  static let tenant = Tenant(realm: .sessions, name: "sessions")
  /// A thousandth of the real cost: what is tested is what happens around the hash.
  static let cost = PasswordCost(rounds: 4, blockSize: 8, parallelism: 1)

  init(
    rules: PasswordRules = PasswordRules(isStrict: false), tokensPerUserMax: Int = 1_000,
    waitingMax: Int = 64,
    folder: String? = nil
  ) async throws {
    let path = folder ?? NSTemporaryDirectory() + "cordwood-access-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    self.folder = path
    var policy = Accounts.Policy()
    policy.tokenSeconds = 3600
    policy.rules = rules
    policy.tokensPerUserMax = tokensPerUserMax
    database = try ControlDatabase(path: path + "/control.sqlite")
    accounts = try await Accounts(
      database, tenant: AccessBench.tenant, policy: policy,
      checker: PasswordChecker(threads: 2, waitingMax: waitingMax, cost: AccessBench.cost), clock: clock)
    catalog = try await SessionCatalog(database, clock: clock)
  }

  /// Another process on the same database.
  func other() async throws -> AccessBench { try await AccessBench(folder: folder) }

  func advance(seconds: Int64) { clock.advance(nanoseconds: seconds * 1_000_000_000) }

  func bearer(_ name: String, _ password: String, address: String = "10.0.0.1") async throws -> String {
    "Bearer " + (try await accounts.login(name: name, password: password, address: address)).token
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Everything on the disk.
  func bytes() throws -> Data {
    try FileManager.default.contentsOfDirectory(atPath: folder).reduce(into: Data()) { data, name in
      data.append(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
    }
  }
}

/// The error `body` ends with; nil if with none.
func accessError(_ body: () async throws -> Void) async -> AccessError? {
  do { try await body() } catch { return error as? AccessError }
  return nil
}
