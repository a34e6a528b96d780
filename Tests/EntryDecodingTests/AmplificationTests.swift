import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import Synchronization
import TestKit
import Testing

/// What bodies that are cheap to send may cost.
@Suite struct AmplificationTests {
  /// A budget that counts.
  final class Budget: Sendable {
    private struct State {
      var used = 0
      var peak = 0
      var takes = 0
    }
    private let state = Mutex(State())
    let bytesMax: Int

    init(bytesMax: Int) { self.bytesMax = bytesMax }

    var peak: Int { state.withLock { $0.peak } }
    var used: Int { state.withLock { $0.used } }
    var takes: Int { state.withLock { $0.takes } }

    var memory: DecodingMemory {
      DecodingMemory(
        bytesMax: bytesMax,
        take: { count in
          self.state.withLock { state in
            guard state.used + count <= self.bytesMax else { return false }
            state.used += count
            state.peak = max(state.peak, state.used)
            state.takes += 1
            return true
          }
        }, give: { count in self.state.withLock { $0.used -= count } })
    }
  }

  static func ones(_ count: Int) -> String { "[" + String(repeating: "1,", count: count - 1) + "1]" }

  static func failure(_ run: () throws(ValidationFailure) -> Void) -> ValidationFailure? {
    do throws(ValidationFailure) { try run() } catch { return error }
    return nil
  }

  static let good = #"{"action":"a","resource_type":"","resource_id":"","severity":"INFO"}"#
  static let flow = #"{"environment":"staging","executed_at":"2025-12-24"}"#

  @Test func whatIsNoEntryIsRefusedWithoutATree() {
    let budget = Budget(bytesMax: 1 << 20)
    let body = Array(AmplificationTests.ones(1_000_000).utf8)
    for decoder in [EntryTests.audit, EntryTests.workflow] {
      let list = AmplificationTests.failure { () throws(ValidationFailure) in
        _ = try decoder.decode(list: body, now: 7, within: budget.memory)
      }
      #expect(list?.errors.count == ValidationFailure.errorsMax)
      #expect(list?.errors.first?.place == [.name("body"), .index(0)])
      let entry = AmplificationTests.failure { () throws(ValidationFailure) in
        _ = try decoder.decode(entry: body, now: 7, within: budget.memory)
      }
      #expect(entry == .notAnObject)
    }
    let ingest = AmplificationTests.failure { () throws(ValidationFailure) in
      _ = try IngestDecoder().decode(
        Array("{\"entries\":\(AmplificationTests.ones(400_000))}".utf8), masking: .none, within: budget.memory
      )
    }
    #expect(ingest?.errors.count == ValidationFailure.errorsMax)
    #expect(budget.takes == 0)
  }

  @Test func theFirstWrongItemIsNamedAndWhatFollowsIsNotRead() {
    // Behind the hundredth fault there is no JSON any more.
    let wrong = Array(repeating: "7", count: 100).joined(separator: ",")
    let body = "[\(AmplificationTests.good),\(wrong),nothing of this is read"
    let errors = EntryTests.errors(EntryTests.audit, body, isList: true)
    #expect(errors.count == 100 && errors[0] == "body.1: model_attributes_type")
    #expect(
      EntryTests.errors(EntryTests.audit, "[\(AmplificationTests.good),7,nothing]", isList: true).first?
        .hasSuffix("json_invalid") == true)
  }

  @Test func anIngestedListThatIsTooLongIsCounted() {
    let body = "{\"entries\":[" + Array(repeating: Ingest.entry(), count: 600).joined(separator: ",") + "]}"
    let failure = AmplificationTests.failure { () throws(ValidationFailure) in
      _ = try IngestDecoder().decode(Array(body.utf8), masking: .none)
    }
    #expect(failure?.errors.map(\.type) == ["too_long"])
  }

  @Test func unknownMembersAreNotBuilt() throws {
    let budget = Budget(bytesMax: 64 << 10)
    // Too large for the shortcut.
    let body = "[\(AmplificationTests.good.dropLast()),\"x\":\(AmplificationTests.ones(200_000))}]"
    var limits = DecodingLimits()
    limits.entryBytesMax = 100
    let decoder = EntryDecoder(.audit, masking: .none, limits: limits)
    let failure = AmplificationTests.failure { () throws(ValidationFailure) in
      _ = try decoder.decode(list: Array(body.utf8), now: 7, within: budget.memory)
    }
    #expect(failure == nil)
    #expect(budget.used == 0)
  }

  @Test func aTreeIsTakenFromTheBudgetBeforeItIsBuilt() throws {
    let entry =
      "{\"environment\":\"staging\",\"executed_at\":\"2025-12-24\",\"x\":\(AmplificationTests.ones(5_000))}"
    var limits = DecodingLimits()
    limits.entryBytesMax = 100
    let decoder = EntryDecoder(.workflow, masking: .none, limits: limits)
    let list = Array("[\(Array(repeating: entry, count: 20).joined(separator: ","))]".utf8)
    let large = Budget(bytesMax: 2 << 20)
    let batch = try decoder.decode(list: list, now: 7, within: large.memory)
    #expect(batch?.rowCount == 20)
    // One entry at a time, and each counted.
    #expect(large.takes == 20 && large.used == 0)
    #expect(large.peak > 5_000 * 24 && large.peak < 5_000 * 200)
    let small = Budget(bytesMax: 1 << 16)
    let refusal = AmplificationTests.failure { () throws(ValidationFailure) in
      _ = try decoder.decode(list: list, now: 7, within: small.memory)
    }
    #expect(refusal?.shortage == .lasting && refusal?.errors.isEmpty == true)
    let busy = Budget(bytesMax: 1 << 20)
    try busy.memory.take(1_000_000)
    let later = AmplificationTests.failure { () throws(ValidationFailure) in
      _ = try decoder.decode(list: list, now: 7, within: busy.memory)
    }
    #expect(later?.shortage == .momentary && busy.used == 1_000_000)
  }

  @Test func sessionsBuildNothingBesideTheirRecords() {
    let row = #"{"timestamp":"2025-11-30T12:00:00Z","level":"I","message":"m"}"#
    let ones = AmplificationTests.ones(500_000)
    #expect(throws: Never.self) {
      try SessionLogsTests.decode("{\"logs\":[\(row.dropLast()),\"x\":\(ones)}]}")
    }
    #expect(SessionLogsTests.refusal("{\"x\":\(ones),\"logs\":[\(row)]}")?.reason == .unknownField)
    #expect(SessionLogsTests.refusal("{\"logs\":[\(row),\(ones.dropFirst())}")?.entry == 1)
    #expect(SessionLogsTests.refusal(ones)?.reason == .missing)
  }

  /// Without a shortcut, and by the shortcut with some entries by the tree: the same rows in the same order.
  @Test func entriesOfBothKindsKeepTheirOrder() throws {
    let times = ["1766572200", #""2025-12-24""#, #""2025-12-24T10:30:00Z""#, #""2025-12-24 10:30:00""#]
    let entries = (0..<40).map { index in
      let rare = index % 3 == 0 ? #","execution_time_seconds":" 4 ""# : ""
      return #"{"environment":"staging","executed_at":\#(times[index % 4]),"ticket_id":"\#(index)"\#(rare)}"#
    }
    let body = Array("[\(entries.joined(separator: ","))]".utf8)
    let long = EntryDecoder(.workflow, masking: .none, limits: DecodingLimits(), hasShortcut: false)
    let budget = Budget(bytesMax: 1 << 20)
    let found = try #require(try EntryTests.workflow.decode(list: body, now: 7, within: budget.memory))
    let expected = try #require(try long.decode(list: body, now: 7))
    #expect(found.cells == expected.cells)
    #expect((0..<40).allSatisfy { found.cells[$0]["ticket_id"] == "\($0)" })
    // A time as a number is plain; a number with spaces in quotes is not.
    #expect(budget.takes == 14)
  }
}
