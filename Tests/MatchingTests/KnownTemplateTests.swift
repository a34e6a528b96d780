import Codecs
import Records
import TestKit
import Testing

@testable import Matching

/// What an automaton has said of a template it says again, for whoever asks.
@Suite struct KnownTemplateTests {
  private static let slot = TemplatePiece.slot(ByteSet256(UInt8(ascii: "0")...UInt8(ascii: "9")))

  private static func template(_ text: String) -> [TemplatePiece] {
    [.literal(Array("\(text) after ".utf8)), slot, .literal(Array(" ms".utf8))]
  }

  @Test func verdictsAreRemembered() throws {
    let automaton = try TextAutomaton(.contains("timeout", ignoreCase: false))
    #expect(automaton.templates.verdicts.isEmpty)
    let pieces = KnownTemplateTests.template("timeout")
    automaton.templates.add([pieces: TemplateRunner(automaton).verdict(for: pieces)])
    #expect(automaton.templates.verdicts == [pieces: .yes])
  }

  /// However many templates the blocks have, what is kept of them has a bound.
  @Test func theyTakeNoMoreThanTheyMay() throws {
    let automaton = try TextAutomaton(.contains("timeout", ignoreCase: false))
    for number in 0..<3_000 {
      let text = String(repeating: "x", count: 1_000) + "\(number)"
      automaton.templates.add([KnownTemplateTests.template(text): .no])
    }
    #expect((500...1_200).contains(automaton.templates.verdicts.count))
    // What was known before is known still.
    let first = KnownTemplateTests.template(String(repeating: "x", count: 1_000) + "0")
    #expect(automaton.templates.verdicts[first] == .no)
  }

  @Test func predicatesAreTakenApartOnce() throws {
    let text = Predicate.contains(ColumnPath("message"), needle: "a", ignoreCase: false)
    let other = Predicate.compare(ColumnPath("level"), .equal, .string("INFO"))
    func split(_ predicate: Predicate) throws -> CompiledPredicate.Split {
      let compiled = try CompiledPredicate(predicate, schema: Dataset.logs.schema)
      let first = compiled.split(on: "message", schema: Dataset.logs.schema, cancellation: nil)
      let again = compiled.split(on: "message", schema: Dataset.logs.schema, cancellation: nil)
      #expect(first.texts.map(\.predicate.predicate) == again.texts.map(\.predicate.predicate))
      #expect(first.rest?.predicate == again.rest?.predicate)
      return first
    }
    let alone = try split(text)
    #expect(alone.rest == nil && alone.texts.map(\.predicate.predicate) == [text])
    let both = try split(.and([other, text]))
    #expect(both.rest?.predicate == .and([other]) || both.rest?.predicate == other)
    #expect(both.texts.map(\.predicate.predicate) == [text])
    let neither = try split(.or([other, text]))
    #expect(neither.texts.isEmpty && neither.rest?.predicate == .or([other, text]))
    // Of another column nothing that is known holds.
    let compiled = try CompiledPredicate(text, schema: Dataset.logs.schema)
    _ = compiled.split(on: "message", schema: Dataset.logs.schema, cancellation: nil)
    #expect(compiled.split(on: "service", schema: Dataset.logs.schema, cancellation: nil).texts.isEmpty)
  }
}
