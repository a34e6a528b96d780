import Platform
import Records
import Synchronization
import TestKit
import Testing

@testable import Querying

/// Parts of a scan are planned when their rows are reached, not before.
struct LatePlanningTests {
  /// Thirty units, one behind the other, three of them a part.
  private struct Days: BatchSource {
    let shared: MemorySnapshot

    init() {
      shared = MemorySnapshot(
        units: (0..<30).map { unit in
          (0..<20).map { row in
            let number = Int64(unit * 20 + row)
            return MemorySource.Row(position: number, timestamp: number * 10, message: "row \(number)")
          }
        })
    }

    func snapshot(of partition: Partition) -> any PartitionSnapshot { shared }

    var policies: [DamagePolicy] { shared.policies.withLock { $0 } }

    func ask(_ rest: String) async throws -> QueryAnswer {
      let engine = QueryEngine(
        source: self, workers: WorkerPool(threads: 2), budget: MemoryBudget(bytesMax: 1 << 20))
      let query = "{\"dataset\":\"logs\",\"columns\":[\"position\"],\(rest)}"
      return try await engine.run(QueryRequest(json: Array(query.utf8)), for: QueryEngineTests.tenant)
    }
  }

  private func positions(_ answer: QueryAnswer) async throws -> [Int64] {
    var positions: [Int64] = []
    while let batch = try await answer.next() {
      let column = try #require(batch.column("position"))
      positions += column.withInt64 { span in span.indices.map { span[$0] } }
    }
    return positions
  }

  @Test(arguments: ["asc", "desc"])
  func theFirstRowsPlanOnePart(order: String) async throws {
    let days = Days()
    let answer = try await days.ask("\"order\":\"\(order)\",\"limit\":50")
    let expected = order == "asc" ? Array(Int64(0)..<50) : (Int64(550)..<600).reversed()
    #expect(try await positions(answer) == expected)
    #expect(days.policies.count == 1)
  }

  @Test(arguments: ["asc", "desc"])
  func allRowsPlanAllPartsOnce(order: String) async throws {
    let days = Days()
    let answer = try await days.ask("\"order\":\"\(order)\",\"limit\":1000")
    let all = Array(Int64(0)..<600)
    #expect(try await positions(answer) == (order == "asc" ? all : all.reversed()))
    #expect(days.policies.count == 10)
  }

  /// What an answer lacks is told when it begins.
  @Test func nothingIsLeftOutOnceTheAnswerHasBegun() async throws {
    let days = Days()
    let answer = try await days.ask("\"limit\":1000")
    let planned = days.policies
    #expect(!planned.isEmpty && planned.count < 10 && planned.allSatisfy { $0 == .leaveOut })
    _ = try await positions(answer)
    #expect(days.policies.dropFirst(planned.count).allSatisfy { $0 == .refuse })
    #expect(days.policies.count == 10)
  }

  /// Rows of no part match until the last: all are planned before the answer begins.
  @Test func partsWithoutRowsAreLookedThroughForTheFirst() async throws {
    let days = Days()
    let answer = try await days.ask("\"limit\":5,\"where\":{\"eq\":[\"message\",\"row 3\"]}")
    #expect(days.policies.count == 10)
    #expect(try await positions(answer) == [3])
  }
}
