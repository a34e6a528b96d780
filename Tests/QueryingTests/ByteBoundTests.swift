import Platform
import Records
import TestKit
import Testing

@testable import Querying

/// Batches of an answer are bounded by bytes of text, and what is cut is all there, in order.
struct ByteBoundTests {
  static let tenant = Tenant(realm: .native, name: "t")

  /// Rows over seven units in turn, a long message each: of odd numbers of rows they are dictionaries.
  static func engine(rowCount: Int, messageBytes: Int) -> QueryEngine {
    var units: [[MemorySource.Row]] = Array(repeating: [], count: 7)
    for index in 0..<rowCount {
      units[index % 7].append(
        MemorySource.Row(
          position: Int64(index), timestamp: Int64(index), level: "INFO",
          message: String(repeating: index % 3 == 0 ? "a" : "b", count: messageBytes) + "\(index % 20)"))
    }
    return QueryEngine(
      source: MemorySource(units: units), workers: WorkerPool(threads: 2),
      budget: MemoryBudget(bytesMax: 1 << 24))
  }

  @Test(arguments: ["asc", "desc"], [1, 700, 5_000, 100_000])
  func rowsAreCutByBytes(order: String, bytesMax: Int) async throws {
    var engine = Self.engine(rowCount: 300, messageBytes: 400)
    engine.batchBytesMax = bytesMax
    let json =
      "{\"dataset\":\"logs\",\"columns\":[\"position\",\"message\"],\"order\":\"\(order)\",\"limit\":290}"
    let answer = try await engine.run(QueryRequest(json: Array(json.utf8)), for: Self.tenant)
    var positions: [Int64] = []
    while let batch = try await answer.next() {
      // As much as may go in unseen, and as much again that was counted.
      #expect(batch.textByteCount <= 2 * max(bytesMax, 500))
      positions += try #require(batch.column("position")).withInt64 { span in span.indices.map { span[$0] } }
    }
    let all = (0..<300).map { Int64($0) }
    #expect(positions == Array((order == "asc" ? all : all.reversed()).prefix(290)))
  }

  @Test(arguments: [1, 1_000, 3_000, 1 << 20])
  func groupsAreCutByBytes(bytesMax: Int) async throws {
    var engine = Self.engine(rowCount: 300, messageBytes: 400)
    engine.groupBytesMax = bytesMax
    for query in [
      "\"group_by\":[\"message\"]", "\"group_by\":[\"message\"],\"measures\":[\"count\"]",
    ] {
      let json = "{\"dataset\":\"logs\",\(query)}"
      let answer = try await engine.run(QueryRequest(json: Array(json.utf8)), for: Self.tenant)
      var (groups, rows, batches) = (0, 0, 0)
      while let batch = try await answer.next() {
        #expect(batch.textByteCount <= max(bytesMax, 500))
        groups += batch.rowCount
        rows += try #require(batch.column("count")).withInt64 { counts in
          counts.indices.reduce(0) { $0 + Int(counts[$1]) }
        }
        batches += 1
      }
      #expect(groups == 40 && rows == 300)
      #expect(batches == (bytesMax == 1 << 20 ? 1 : bytesMax == 1 ? 40 : batches))
    }
  }

  /// Groups that need more than running queries may hold are refused, and nothing stays taken.
  @Test func groupsAreHeldAgainstTheBudget() async throws {
    var units: [[MemorySource.Row]] = [[]]
    for index in 0..<2_000 {
      units[0].append(
        MemorySource.Row(
          position: Int64(index), timestamp: 0, level: nil,
          message: "\(index)" + String(repeating: "m", count: 300)))
    }
    let budget = MemoryBudget(bytesMax: 1 << 19)
    let engine = QueryEngine(
      source: MemorySource(units: units), workers: WorkerPool(threads: 1), budget: budget)
    let json = "{\"dataset\":\"logs\",\"group_by\":[\"message\"]}"
    let request = try QueryRequest(json: Array(json.utf8))
    await #expect {
      _ = try await engine.run(request, for: Self.tenant)
    } throws: { error in
      guard case .memoryExhausted? = error as? StoreError else { return false }
      return true
    }
    #expect(budget.bytesUsed == 0)
  }

  @Test func noGroupsAreOneEmptyBatch() {
    let batches = GroupBatches(
      fields: [], count: 0, byteCount: { _ in 0 },
      batch: { _ in
        RecordBatch(fields: [], columns: [], rowCount: 0)
      })
    #expect(batches.next()?.rowCount == 0)
    #expect(batches.next() == nil)
  }
}
