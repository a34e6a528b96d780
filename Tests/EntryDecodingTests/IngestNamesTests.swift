import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

struct IngestNamesTests {
  /// The scan remembers the rules of names in places by hash. Thousands of names that differ in their last
  /// bytes, or in their length alone, meet in the same places, one right behind the other.
  @Test func namesThatMeetInAPlaceKeepTheirRules() throws {
    var generator = SeededGenerator(seed: 21)
    var entries: [String] = []
    for _ in 0..<60 {
      var members: [String] = []
      var seen: Set<String> = []
      var byteCount = 0
      while members.count < 900, byteCount < 28_000 {
        let base = IngestNamesTests.name(0...28, &generator)
        let more = IngestNamesTests.name(1...6, &generator)
        let names = [base + "token", base + "tokem", base, base + "token" + more, more].shuffled(
          using: &generator)
        for name in names where seen.insert(name).inserted {
          members.append("\"\(name)\":1")
          byteCount += name.utf8.count + 5
        }
      }
      entries.append(
        """
        {"timestamp":"2025-09-24T12:00:00Z","level":"INFO","message":"m","service":"s","env":"e",
        "metadata":{\(members.joined(separator: ","))}}
        """)
    }
    var rules = MaskingRules()
    rules.operationsMax = 10_000
    let masking = MaskingPlan(rules, for: Dataset.logs.schema)
    var limits = IngestLimits()
    limits.batchBytesMax = 8 << 20
    let decoder = IngestDecoder(limits: limits)
    let body = Array("{\"entries\":[\(entries.joined(separator: ","))]}".utf8)
    let quick = try #require(decoder.scan(body, masking: masking))
    let thorough = try decoder.readTree(body, masking: masking)
    #expect(quick.maskedCounts == thorough.maskedCounts)
    #expect(Ingest.rows(quick) == Ingest.rows(thorough))
  }

  static func name(_ lengths: ClosedRange<Int>, _ generator: inout SeededGenerator) -> String {
    let count = Int.random(in: lengths, using: &generator)
    let letters = (0..<count).map { _ in UInt8.random(in: 0x66...0x6A, using: &generator) }
    return String(decoding: letters, as: UTF8.self)
  }
}
