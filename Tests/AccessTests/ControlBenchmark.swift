import Access
import Foundation
import Platform
import Synchronization
import Testing

/// Acknowledged and synced changes of the control database a second, from 64 tasks. Measured when
/// `CORDWOOD_BENCHMARK_CONTROL` names a directory on the disk to be measured; passwords are hashed elsewhere.
@Suite(.serialized) struct ControlBenchmark {
  private static let directory = ProcessInfo.processInfo.environment["CORDWOOD_BENCHMARK_CONTROL"]
  private static let writers = 64
  private static let changesEach = 500

  @Test(.enabled(if: ControlBenchmark.directory != nil))
  func usersAndTokensASecond() async throws {
    let folder = (Self.directory ?? "") + "/control-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let plane = try await ControlDatabase.open(path: folder + "/control.sqlite")
    let users = Mutex<[UserRecord]>([])
    try await measure("users") { name in
      let user = try await plane.accounts.createUser(
        name: name, looks: name, role: .user, password: "p", hasDefaultPassword: false, createdAt: 1)
      users.withLock { $0.append(user) }
    }
    let owners = users.withLock { $0 }
    try await measure("tokens") { name in
      try await plane.accounts.issue(
        token(name, of: owners[abs(name.hashValue) % owners.count]), password: "p", replacing: nil,
        tokensMax: 1_000)
    }
    try await measure("tokens of one user") { name in
      try await plane.accounts.issue(
        token(name + "'", of: owners[0]), password: "p", replacing: nil, tokensMax: 1_000)
    }
    try plane.close()
  }

  private func measure(
    _ what: String, _ change: @escaping @Sendable (String) async throws -> Void
  ) async throws {
    let start = SystemUptime().uptime()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<Self.writers {
        group.addTask { for index in 0..<Self.changesEach { try await change("\(writer)-\(index)") } }
      }
      try await group.waitForAll()
    }
    let seconds = Double(SystemUptime().uptime() - start) / 1e9
    let count = Self.writers * Self.changesEach
    print("\(what): \(count) in \(seconds) s, \(Int(Double(count) / seconds)) a second")
  }
}
