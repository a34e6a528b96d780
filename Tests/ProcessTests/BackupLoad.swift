import Foundation
import Testing

/// Writers that keep a server busy, and what each of them was told is there.
final class BackupLoad: @unchecked Sendable {
  // Safe because: what threads share is behind the condition.
  static let names = (0..<3).map { "writer-\($0)" }
  static let password = "a long enough one 1"

  private let port: Int
  private let condition = NSCondition()
  private var isOpen = false
  private var hasEnded = false
  private var running = 0
  private var logs = [Int](repeating: 0, count: BackupLoad.names.count)
  private var begun = [Int](repeating: 0, count: BackupLoad.names.count)
  private var containers = 0
  private var users = 0
  private var token: String
  private var trouble: [String] = []
  private let threads = DispatchGroup()

  /// How much was acknowledged, and begun, by a moment.
  struct Ledger {
    var logs: [Int]
    var begun: [Int]
    /// Containers with a session and a record in it.
    var containers: Int
    var users: Int
    var token: String
  }

  init(port: Int) throws {
    self.port = port
    token = try SessionsClient(port: port).token
    for index in BackupLoad.names.indices { start { try self.writeLogs(index) } }
    start { try self.makeContainers() }
    start { try self.makeUsers() }
  }

  private func start(_ work: @escaping @Sendable () throws -> Void) {
    threads.enter()
    Thread {
      do { try work() } catch { self.change { $0.trouble.append("\(error)") } }
      self.threads.leave()
    }.start()
  }

  private func change(_ body: (BackupLoad) -> Void) {
    condition.lock()
    body(self)
    condition.broadcast()
    condition.unlock()
  }

  var ledger: Ledger {
    condition.lock()
    defer { condition.unlock() }
    return Ledger(logs: logs, begun: begun, containers: containers, users: users, token: token)
  }

  /// Lets the writers write, returns when each has got something done since.
  func run() {
    condition.lock()
    defer { condition.unlock() }
    isOpen = true
    condition.broadcast()
    let goal = (logs: logs.map { $0 + 50 }, containers: containers + 1, users: users + 1)
    func isReached() -> Bool {
      zip(logs, goal.logs).allSatisfy { $0 >= $1 } && containers >= goal.containers && users >= goal.users
    }
    while trouble.isEmpty, !isReached() { condition.wait() }
  }

  /// Stops them, and waits for their last answers.
  func rest() {
    condition.lock()
    defer { condition.unlock() }
    isOpen = false
    while running > 0 { condition.wait() }
  }

  /// Ends the threads; what went wrong in them.
  func end() -> [String] {
    change { load in
      load.hasEnded = true
      load.isOpen = true
    }
    threads.wait()
    return trouble
  }

  /// One step of a writer, as soon as it may; false: it is over.
  private func step(_ work: () throws -> Void) rethrows -> Bool {
    condition.lock()
    while !isOpen { condition.wait() }
    let isOver = hasEnded
    if !isOver { running += 1 }
    condition.unlock()
    if isOver { return false }
    defer { change { $0.running -= 1 } }
    try work()
    return true
  }

  private func writeLogs(_ index: Int) throws {
    let connection = try HTTPConnection(port: port)
    var next = 0
    let filler = String(repeating: "what happened next is not known. ", count: 8)
    while try step({
      let batch = next..<next + 1 + next * 7 % 5
      change { $0.begun[index] = batch.upperBound }
      let start = "{\"service\":\"\(BackupLoad.names[index])\",\"message\":\"\(filler)"
      let body = batch.map { start + "\($0)\",\"metadata\":{\"n\":\($0)}}\n" }.joined()
      let answer = try connection.request(
        "POST", "/v1/records/logs", headers: ["Content-Type": "application/x-ndjson"], body: Array(body.utf8))
      guard answer.status == 201 else { throw WireError.malformed("\(answer.status) \(answer.text)") }
      next = batch.upperBound
      change { $0.logs[index] = batch.upperBound }
    }) {}
  }

  private func makeContainers() throws {
    let client = SessionsClient(port: port, token: ledger.token)
    var next = 0
    while try step({
      try client.make("c-\(next)", "s")
      let answer = try client.write([SessionRow(number: next)], to: "c-\(next)/s")
      guard answer.status == 201 else { throw WireError.malformed(answer.text) }
      next += 1
      change { $0.containers = next }
    }) {}
  }

  /// Users, and a token of the last one.
  private func makeUsers() throws {
    let client = SessionsClient(port: port, token: ledger.token)
    var next = 0
    while try step({
      let made = try client.makeUser("user-\(next)", BackupLoad.password)
      guard made.status == 201 else { throw WireError.malformed(made.text) }
      let mine = try SessionsClient(port: port, user: "user-\(next)", password: BackupLoad.password)
      next += 1
      change { load in
        load.users = next
        load.token = mine.token
      }
    }) {}
  }
}

extension BackupLoad {
  /// Compares a server with what was acknowledged when `before` was taken, and had been begun at `after`.
  static func check(_ server: ServerProcess, from before: Ledger, to after: Ledger, _ label: String) throws {
    for (index, name) in names.enumerated() {
      let row = try server.query([
        "dataset": "logs", "where": ["eq": ["service", name]],
        "measures": ["count", ["max": "metadata.n", "as": "last"], ["sum": "metadata.n", "as": "sum"]],
      ])[0]
      let count = row["count"] as? Int ?? -1
      #expect(before.logs[index]...after.begun[index] ~= count, "\(label): \(name) has \(count)")
      let last = (row["last"] as? Double).map { Int($0) } ?? -1
      let sum = (row["sum"] as? Double).map { Int($0) } ?? 0
      #expect(last == count - 1 && sum == count * (count - 1) / 2, "\(label): \(name), none twice or lacking")
    }
    let mine = SessionsClient(port: server.port, token: before.token)
    #expect(try mine.request("GET", "/api/containers").status == 200, "\(label): the last token holds")
    let administrator = try SessionsClient(port: server.port)
    for number in [0, before.containers / 2, before.containers - 1] where number >= 0 {
      let rows = try administrator.read("c-\(number)/s").rows
      #expect(rows == [SessionRow(number: number)], "\(label): container \(number)")
    }
    let users = try administrator.request("GET", "/api/users").text
    for number in 0..<before.users { #expect(users.contains("\"user-\(number)\""), "\(label)") }
  }
}
