import Codecs
import Foundation
import Masking
import Records
import TestKit
import Testing

/// How many secrets are found, and how often something else is taken for one, over texts of our own making.
struct CorpusTests {
  static let plan = MaskingPlan(MaskingRules(), for: Dataset.logs.schema)

  static func masked(_ text: String) -> String {
    var record = RecordMasking(plan)
    return record.column("message", text)
  }

  /// At least 98 of 100 are gone, and what is left is left whole.
  @Test func secretsAreFound() {
    let samples = Positives.make(seed: 1_301, rounds: 8)
    #expect(samples.count >= 500)
    let missed = samples.filter { CorpusTests.masked($0.text).contains($0.secret) }
    let recall = 1 - Double(missed.count) / Double(samples.count)
    #expect(recall >= 0.98, "\(recall): \(missed.prefix(40).map(\.text).joined(separator: "\n"))")
    print("masking corpus: \(samples.count) secrets, \(missed.count) missed", missed.map(\.text))
  }

  /// At most one of 200 is touched.
  @Test func otherTextsStay() {
    let samples = Negatives.make(seed: 1_302, rounds: 14)
    #expect(samples.count >= 2_000)
    let touched = samples.filter { CorpusTests.masked($0) != $0 }
    let rate = Double(touched.count) / Double(samples.count)
    let shown = touched.prefix(40).map { "\($0)  ->  \(CorpusTests.masked($0))" }
    #expect(rate <= 0.005, "\(rate): \(shown.joined(separator: "\n"))")
    print("masking corpus: \(samples.count) other texts, \(touched.count) touched")
  }

  /// Masking what was masked changes nothing.
  @Test func maskingTwiceIsMaskingOnce() {
    for sample in Positives.make(seed: 1_303, rounds: 4) {
      let once = CorpusTests.masked(sample.text)
      #expect(CorpusTests.masked(once) == once, "\(sample.text)")
    }
  }

  /// Two lines of real logs in a thousand at most are touched by what looks for names, addresses and tokens:
  /// where the project's sample logs are.
  @Test func realLogsStay() throws {
    let folder = "../shared/data/loghub"
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return }
    var rules = MaskingRules()
    rules.detectors = [.secret, .userinfo, .privateKey, .cloudKey]
    let plan = MaskingPlan(rules, for: Dataset.logs.schema)
    var count = 0
    var touched: [String] = []
    for name in names.sorted() where name.hasSuffix(".log") {
      guard let data = FileManager.default.contents(atPath: folder + "/" + name) else { continue }
      for line in data.split(separator: 0x0A) {
        count += 1
        let text = String(decoding: line, as: UTF8.self)
        var record = RecordMasking(plan)
        let masked = record.column("message", text)
        if masked != text { touched.append(masked) }
      }
    }
    #expect(
      touched.count * 500 <= count,
      "\(touched.count) of \(count): \(touched.prefix(20).joined(separator: "\n"))")
  }
}
