import Access
import Foundation
import GRDB
import Synchronization
import Testing

/// Changes that share a transaction.
@Suite struct ChangeQueueTests {
  /// Writes bytes into a table, or fails.
  private final class Note: Change {
    let bytes: Int
    let fails: Bool
    let outcome = Mutex<Result<[ControlChange], any Error>?>(nil)

    init(bytes: Int, fails: Bool = false) {
      self.bytes = bytes
      self.fails = fails
    }

    func run(_ database: Database) throws -> [ControlChange] {
      try database.execute(sql: "INSERT INTO notes VALUES (zeroblob(?))", arguments: [bytes])
      if fails { throw AccessError.userExists }
      return [.catalog]
    }

    func end(_ outcome: Result<[ControlChange], any Error>) {
      self.outcome.withLock { known in
        #expect(known == nil, "it is answered once")
        known = outcome
      }
    }

    var isDone: Bool { outcome.withLock { if case .success? = $0 { true } else { false } } }
    var error: (any Error)? { outcome.withLock { if case .failure(let error)? = $0 { error } else { nil } } }
  }

  private final class Commits: TransactionObserver {
    var count = 0
    func observes(eventsOfKind kind: DatabaseEventKind) -> Bool { true }
    func databaseDidChange(with event: DatabaseEvent) {}
    func databaseDidCommit(_ database: Database) { count += 1 }
    func databaseDidRollback(_ database: Database) {}
  }

  /// Commits `notes` at once; how many transactions and changes were told of, and the rows that are there.
  private func commit(
    _ notes: [Note], pagesMax: Int = 1_000
  ) throws -> (commits: Int, told: Int, rows: Int) {
    let queue = ChangeQueue()
    for (index, note) in notes.enumerated() {
      switch queue.enqueue(note) {
      case .commitIsDue: #expect(index == 0)
      case .waits: #expect(index > 0)
      case .isFull: Issue.record("it is full at \(index)")
      }
    }
    let commits = Commits()
    var told = 0
    let rows = try DatabaseQueue().writeWithoutTransaction { database in
      try database.execute(sql: "CREATE TABLE notes (bytes BLOB)")
      try database.execute(sql: "PRAGMA max_page_count = \(pagesMax)")
      database.add(transactionObserver: commits)
      repeat {
        queue.commitWaiting(on: database) { changes in
          #expect(notes.allSatisfy { $0.error == nil || $0.fails || $0.bytes > 100_000 })
          told += changes.count
        }
      } while queue.isCommitDue()
      return try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM notes") ?? 0
    }
    return (commits.count, told, rows)
  }

  @Test func whatWaitsSharesACommit() throws {
    let notes = (0..<200).map { _ in Note(bytes: 10) }
    let found = try commit(notes)
    #expect(found == (1, 200, 200))
    #expect(notes.allSatisfy { $0.isDone })
  }

  @Test func whatFailsFailsAlone() throws {
    let notes = (0..<30).map { Note(bytes: 10, fails: $0 % 3 == 1) }
    let found = try commit(notes)
    #expect(found == (1, 20, 20))
    #expect(notes.allSatisfy { $0.isDone != $0.fails })
    #expect(notes[1].error as? AccessError == .userExists)
  }

  @Test func whatHasNoRoomFailsAlone() throws {
    let notes = [10, 1 << 20, 10, 1 << 20, 10].map { Note(bytes: $0) }
    let found = try commit(notes, pagesMax: 20)
    #expect(found.rows == 3 && found.told == 3)
    #expect(notes.map(\.isDone) == [true, false, true, false, true])
    #expect((notes[1].error as? DatabaseError)?.resultCode == .SQLITE_FULL)
  }

  @Test func theNextToComeStartsACommitOfItsOwn() throws {
    let queue = ChangeQueue()
    guard case .commitIsDue = queue.enqueue(Note(bytes: 1)) else { throw AccessError.overloaded }
    try DatabaseQueue().writeWithoutTransaction { database in
      try database.execute(sql: "CREATE TABLE notes (bytes BLOB)")
      queue.commitWaiting(on: database) { _ in
        if case .waits = queue.enqueue(Note(bytes: 1)) {} else { Issue.record("two would commit") }
      }
      #expect(queue.isCommitDue())
      queue.commitWaiting(on: database) { _ in }
      #expect(!queue.isCommitDue())
    }
    guard case .commitIsDue = queue.enqueue(Note(bytes: 1)) else {
      Issue.record("nobody would commit it")
      return
    }
  }

  @Test func theQueueHasABound() {
    let queue = ChangeQueue()
    let answers = (0..<10_001).map { _ in queue.enqueue(Note(bytes: 1)) }
    #expect(answers.dropLast().allSatisfy { if case .isFull = $0 { false } else { true } })
    if case .isFull = answers[10_000] {} else { Issue.record("it has none") }
  }

  /// 64 at once, each alone right or wrong, on the database itself.
  @Test func manyWritersGetTheirOwnAnswers() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    let accounts = bench.database.accounts
    let errors = await withTaskGroup(of: (Int, AccessError?).self) { group in
      for index in 0..<64 {
        group.addTask {
          let error = await accessError {
            _ = try await accounts.createUser(
              name: "u\(index / 2)", looks: "u\(index / 2)", role: .user, password: "p",
              hasDefaultPassword: false, createdAt: 1)
          }
          return (index / 2, error)
        }
      }
      return await group.reduce(into: [Int: [AccessError?]]()) { $0[$1.0, default: []].append($1.1) }
    }
    for (name, both) in errors {
      #expect(both.count { $0 == nil } == 1 && both.count { $0 == .userExists } == 1, "u\(name)")
    }
    #expect(bench.accounts.users().count == 32, "told of each")
    #expect(try await bench.other().accounts.users().count == 32)
  }
}
