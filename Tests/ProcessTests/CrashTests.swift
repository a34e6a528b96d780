import Foundation
import Testing

extension ProcessSuite {
  /// `kill -9` in a loop under concurrent writers: what was acknowledged is read back once and in order.
  @Suite struct CrashTests {
    /// One writer's view: the sequence numbers it was told are on disk, and those it was told nothing about.
    final class Writer: @unchecked Sendable {
      // Safe because: used by one thread, read after that thread was joined.
      let name: String
      var next = 0
      var acknowledged: [Int] = []
      var unanswered: [Range<Int>] = []

      init(name: String) { self.name = name }

      /// Posts batches of 1 to 40 records until the server goes away.
      func run(port: Int) {
        guard let connection = try? HTTPConnection(port: port) else { return }  // killed before it began
        var generator = SystemRandomNumberGenerator()
        while true {
          let count = Int.random(in: 1...40, using: &generator)
          let batch = next..<(next + count)
          next = batch.upperBound
          let body = batch.map {
            "{\"service\":\"\(name)\",\"message\":\"record \($0)\",\"metadata\":{\"n\":\($0)}}\n"
          }
          .joined()
          // A failed exchange is the point of the test: the batch may be there, whole or not at all.
          let answer = try? connection.request(
            "POST", "/v1/records/logs", headers: ["Content-Type": "application/x-ndjson"],
            body: Array(body.utf8))
          guard answer?.status == 201, answer?.isComplete == true else {
            unanswered.append(batch)
            return
          }
          acknowledged += batch
        }
      }
    }

    @Test func acknowledgedRecordsSurviveKillInALoop() throws {
      let folder = try TemporaryFolder()
      let data = folder.path + "/data"
      let writers = (0..<6).map { Writer(name: "writer-\($0)") }
      for round in 0..<6 {
        let server = try ServerProcess(
          data: data, arguments: round % 2 == 0 ? [] : ["--set", "archive.max_age_seconds=1"])
        let group = DispatchGroup()
        for writer in writers {
          group.enter()
          Thread {
            writer.run(port: server.port)
            group.leave()
          }.start()
        }
        // Let every writer get some answers before the kill: poll the store itself, not the clock.
        let goal = (round + 1) * 400
        while try server.query(["dataset": "logs", "measures": ["count"]])[0]["count"] as? Int ?? 0 < goal {}
        if round == 3 { try server.archive() }
        server.kill()
        group.wait()
        try Program.expectSound(data, in: folder)
      }
      let server = try ServerProcess(data: data)
      for archived in [false, true] {
        if archived { try server.archive() }
        for writer in writers { try check(writer, on: server) }
      }
      #expect(server.stop() == 0)
      try Program.expectSound(data, in: folder)
    }

    private func check(_ writer: Writer, on server: ServerProcess) throws {
      let rows = try server.query([
        "dataset": "logs", "where": ["eq": ["service", writer.name]], "columns": ["position", "message"],
        "order": "asc", "limit": 10_000_000,
      ])
      let numbers = rows.compactMap {
        ($0["message"] as? String)?.split(separator: " ").last.flatMap { Int($0) }
      }
      #expect(numbers == numbers.sorted(), "\(writer.name): in order")
      #expect(Set(numbers).count == numbers.count, "\(writer.name): no record twice")
      let found = Set(numbers)
      #expect(
        writer.acknowledged.allSatisfy(found.contains), "\(writer.name): no acknowledged record is lost")
      for batch in writer.unanswered {
        let kept = batch.filter(found.contains).count
        #expect(
          kept == 0 || kept == batch.count,
          "\(writer.name): an unanswered request is there whole or not at all")
      }
      let invented = found.subtracting(writer.acknowledged).subtracting(writer.unanswered.flatMap { $0 })
      #expect(invented.isEmpty, "\(writer.name): nothing is invented")
    }

    @Test func aSecondServerOnTheSameDataIsRefused() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      let second = try Program.run(["serve", "--data-dir", folder.path + "/data", "--port", "0"], in: folder)
      #expect(second.status != 0)
      #expect((second.errors + second.text).contains("in use"))
      #expect(server.stop() == 0)
    }
  }
}

/// Process tests share two cores and one disk: one after the other.
@Suite(.serialized) struct ProcessSuite {}
