import Foundation
import Testing

extension ProcessSuite {
  /// Reads while rows are written, archived and compacted: no row is ever missed or read twice.
  @Suite struct SessionsConcurrencyTests {
    /// What writers have sent and were told, and what went wrong.
    final class Board: @unchecked Sendable {
      // Safe because: all state is behind the lock.
      struct Progress {
        var begun = 0
        var acknowledged = 0
      }

      /// A session gets no longer: reading it would take most of the time.
      static let rowsMax = 600
      private let lock = NSLock()
      private var sessions: [String: Progress] = [:]
      private var names: [String] = []
      private var faults: [String] = []
      private var requests = 0
      private var readers = 0

      var failures: [String] { lock.withLock { faults } }
      var requestCount: Int { lock.withLock { requests } }
      var places: [String] { lock.withLock { names } }
      var areReadersDone: Bool { lock.withLock { readers == 0 || !faults.isEmpty } }

      func add(_ place: String) {
        lock.withLock {
          sessions[place] = Progress()
          names.append(place)
        }
      }

      func begin(_ place: String, _ count: Int) -> Int {
        lock.withLock {
          let next = sessions[place, default: Progress()].begun
          sessions[place, default: Progress()].begun += count
          return next
        }
      }

      func acknowledge(_ place: String, _ count: Int) {
        lock.withLock {
          sessions[place, default: Progress()].acknowledged += count
          requests += 1
        }
      }

      func progress(_ place: String) -> Progress { lock.withLock { sessions[place] ?? Progress() } }

      /// Mostly one of the newest, which are being written to.
      func pick() -> String? {
        lock.withLock { (Bool.random() ? names : names.suffix(4)).randomElement() }
      }

      func count(_ requests: Int) { lock.withLock { self.requests += requests } }
      func readerBegins() { lock.withLock { readers += 1 } }
      func readerEnds() { lock.withLock { readers -= 1 } }
      func fail(_ text: String) { lock.withLock { faults.append(text) } }
    }

    static let padding = String(repeating: " filler", count: 40)
    static let expected = (0..<Board.rowsMax).map { SessionRow(number: $0, padding: padding) }

    /// Numbers its messages in its own session, one session after the other, until all readers are done.
    private func write(_ name: String, _ client: SessionsClient, _ board: Board) throws {
      for part in 0..<200 {
        let place = "app/\(name)-\(part)"
        try client.make("app", "\(name)-\(part)")
        board.add(place)
        while board.progress(place).begun < Board.rowsMax {
          if board.areReadersDone { return }
          let count = min(Int.random(in: 1...6), Board.rowsMax - board.progress(place).begun)
          let first = board.begin(place, count)
          let answer = try client.write(SessionsConcurrencyTests.expected[first..<first + count], to: place)
          guard answer.status == 201 else { return board.fail("\(place): \(answer.status) \(answer.text)") }
          board.acknowledge(place, count)
        }
      }
    }

    private func flush(_ server: ServerProcess, _ board: Board) throws {
      while !board.areReadersDone {
        try server.archive()
        board.count(1)
      }
    }

    /// - Parameter rounds: So many reads of each kind.
    private func read(_ rounds: Int, _ client: SessionsClient, _ board: Board) throws {
      for _ in 0..<rounds {
        for query in ["", "stream=true", "order=asc", "order=desc"] {
          guard let place = board.pick() else { continue }
          let before = board.progress(place).acknowledged
          var bound = 0
          let pages: [SessionPage]
          if query.hasPrefix("order") {
            let limit = Int.random(in: 100...400)
            pages = try client.readPages(place, "\(query)&limit=\(limit)") {
              bound = board.progress(place).begun
            }
            if pages.dropLast().contains(where: { $0.rows.count != limit }) {
              board.fail("\(place) \(query): a page before the last is not full")
            }
          } else {
            pages = [try client.read(place, query)]
            bound = board.progress(place).begun
          }
          board.count(pages.count)
          var rows = pages.flatMap(\.rows)
          if query == "order=desc" { rows.reverse() }
          // Pages end where the first did: `bound` was taken when that had come.
          if !rows.elementsEqual(SessionsConcurrencyTests.expected.prefix(rows.count)) {
            let numbers = rows.map { $0.message?.prefix { $0 != " " } ?? "null" }.joined(separator: " ")
            board.fail("\(place) \(query): a gap or a double among \(numbers)")
          }
          if rows.count < before {
            board.fail("\(place) \(query): \(rows.count) rows, \(before) were acknowledged")
          }
          if rows.count > bound { board.fail("\(place) \(query): \(rows.count) rows, \(bound) were sent") }
        }
      }
    }

    private func start(_ group: DispatchGroup, _ board: Board, _ body: @escaping @Sendable () throws -> Void)
    {
      group.enter()
      Thread {
        do { try body() } catch { board.fail("\(error)") }
        group.leave()
      }.start()
    }

    @Test func readsSeeEveryRowOnceWhileBlocksComeAndGo() throws {
      let folder = try TemporaryFolder()
      let data = folder.path + "/data"
      let server = try ServerProcess(
        data: data,
        arguments: [
          "archive.bytes_max=1048576", "archive.max_age_seconds=1", "journal.segment_bytes=1048576",
        ].flatMap { ["--set", $0] })
      let token = try SessionsClient(port: server.port).token
      let port = server.port
      let board = Board()
      let group = DispatchGroup()
      for _ in 0..<4 { board.readerBegins() }
      for index in 0..<4 {
        start(group, board) { try write("w\(index)", SessionsClient(port: port, token: token), board) }
      }
      start(group, board) { try flush(server, board) }
      while board.places.isEmpty, board.failures.isEmpty {}
      for _ in 0..<4 {
        start(group, board) {
          defer { board.readerEnds() }
          try read(120, SessionsClient(port: port, token: token), board)
        }
      }
      group.wait()
      #expect(board.failures.isEmpty, "\(board.failures.prefix(5).joined(separator: "\n"))")
      #expect(board.requestCount > 3_000, "\(board.requestCount) requests")
      // It was tried at all: blocks were made and merged meanwhile.
      #expect(try metric("cordwood_archive_runs_total", server) > 5)
      #expect(try metric("cordwood_compactions_total", server) > 0)
      #expect(server.stop() == 0)
      try Program.expectSound(data, in: folder)
      let next = try ServerProcess(data: data)
      let client = SessionsClient(port: next.port, token: token)
      for place in board.places {
        let count = board.progress(place).acknowledged
        let rows = try client.read(place).rows
        #expect(rows.elementsEqual(SessionsConcurrencyTests.expected.prefix(count)), "\(place)")
      }
      #expect(next.stop() == 0)
    }

    private func metric(_ name: String, _ server: ServerProcess) throws -> Double {
      let text = try server.request("GET", "/metrics").text
      let line = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }
      return line.flatMap { $0.split(separator: " ").last.flatMap { Double($0) } } ?? -1
    }
  }
}
