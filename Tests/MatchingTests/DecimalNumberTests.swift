import Codecs
import Records
import TestKit
import Testing

@testable import Matching

/// Decimal numbers, and conditions on numbers of every type, beside numbers that are written out.
@Suite struct DecimalNumberTests {
  /// A nasty number, or one with random digits and exponent.
  static func text(_ random: inout SeededGenerator) -> String {
    if Bool.random(using: &random) { return DecimalModel.nasty.randomElement(using: &random) ?? "0" }
    func digits(_ most: Int) -> String {
      (0..<Int.random(in: 1...most, using: &random)).map { _ in
        "\(Int.random(in: 0...9, using: &random))"
      }.joined()
    }
    var whole = String(digits(22).drop { $0 == "0" })
    if whole.isEmpty { whole = "0" }
    var text = (Bool.random(using: &random) ? "-" : "") + whole
    if Bool.random(using: &random) { text += "." + digits(22) }
    if Bool.random(using: &random) { text += "e\(Int.random(in: -330...330, using: &random))" }
    return text
  }

  @Test(arguments: 1...10) func comparesAndSpellsAsTheModel(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      let (a, b) = (Self.text(&random), Self.text(&random))
      let (left, right) = (try #require(DecimalNumber(a)), try #require(DecimalNumber(b)))
      let (modelLeft, modelRight) = (try #require(DecimalModel(a)), try #require(DecimalModel(b)))
      #expect((left < right) == (modelLeft < modelRight), "\(a) \(b)")
      #expect((left == right) == (modelLeft == modelRight), "\(a) \(b)")
      #expect(left.text == modelLeft.key, "\(a)")
      #expect(DecimalNumber(left.text) == left, "\(a)")
      var key: [UInt8] = []
      JSONNumber.appendKey(of: Array(a.utf8).span, to: &key)
      #expect(String(decoding: key, as: UTF8.self) == modelLeft.key, "\(a)")
    }
  }

  @Test(arguments: 1...10) func conditionsHoldOfEveryType(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<100 {
      let (text, other) = (Self.text(&random), Self.text(&random))
      let literal = try #require(Literal(number: text))
      let model = try #require(DecimalModel(text))
      let near = Double(text) ?? 0
      let doubles = [near, near.nextUp, near.nextDown, Double(other) ?? 0].filter(\.isFinite)
      let floor = Int64(exactly: near.rounded(.down)) ?? (near < 0 ? .min : .max)
      let integers = [floor, floor &+ 1, floor &- 1, .min, .max]
      for comparison in Comparison.allCases {
        let test = try Self.test(comparison, literal)
        for value in doubles {
          let expected = try #require(DecimalModel("\(value)")).holds(comparison, model)
          #expect(test.passes(value) == expected, "\(value) \(comparison) \(text)")
        }
        for value in integers {
          let expected = try #require(DecimalModel("\(value)")).holds(comparison, model)
          #expect(test.passes(value) == expected, "\(value) \(comparison) \(text)")
        }
        let expected = try #require(DecimalModel(other)).holds(comparison, model)
        #expect(test.passes(json: Array(other.utf8).span) == expected, "\(other) \(comparison) \(text)")
      }
    }
  }

  static func test(_ comparison: Comparison, _ literal: Literal) throws -> NumberTest {
    switch literal {
    case .int64(let value): NumberTest(comparison, value)
    case .float64(let value): NumberTest(comparison, try #require(DecimalNumber(value)))
    case .number(let text): NumberTest(comparison, try #require(DecimalNumber(text)))
    default: throw StoreError.invalid("a number")
    }
  }

  /// What becomes a column comes back as the very text.
  @Test(arguments: 1...10) func typedNumbersComeBackAsTheirText(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<1_000 {
      let text =
        Int.random(in: 0..<3, using: &random) == 0
        ? "\(Double(Int.random(in: -99_999...99_999, using: &random)) / 1000)" : Self.text(&random)
      var writer = JSONWriter(capacity: 32)
      switch JSONNumber.typed(Array(text.utf8).span) {
      case .int64(let value): writer.appendInt64(value)
      case .float64(let value):
        writer.appendFloat64(value)
        #expect(value.description == text)
      case .other: continue
      }
      #expect(String(decoding: writer.takeBytes(), as: UTF8.self) == text)
    }
  }

  @Test func whatTexts() {
    for text in ["12.5", "0.5", "-0.0", "1000.0", "0.0001", "1e-05", "1e+300", "7"] {
      #expect(JSONNumber.typed(Array(text.utf8).span) != .other, "\(text)")
    }
    for text in ["12.50", "1e3", "1E+2", "0.10", "0.00001", "-0", "0.00", "1e300", "18446744073709551615"] {
      #expect(JSONNumber.typed(Array(text.utf8).span) == .other, "\(text)")
    }
  }

  /// JSON's grammar, and no more; nothing is expanded.
  @Test func hostileTexts() throws {
    let wrong = [
      "", "-", "+16", "0x10", "007", " 7", "7 ", "1.", ".5", "1e", "1e+", "0x1p4", "NaN", "inf", "1_0",
    ]
    for text in wrong {
      #expect(DecimalNumber(text) == nil, "\(text)")
      #expect(Literal(number: text) == nil, "\(text)")
    }
    let far = try #require(DecimalNumber("1e999999999999999999999999"))
    #expect(far.isClamped && Literal(number: "1e999999999999999999999999") == nil)
    #expect(try #require(DecimalNumber("1e999999999")) < far)
    #expect(Literal(number: "1e999999999") == .number("1e+999999999"))
    #expect(try #require(DecimalNumber("-1e999999999")).nearest == -.infinity)
    #expect(try #require(DecimalNumber("1e-999999999")).nearest == 0)
    let zeros = "0." + String(repeating: "0", count: 2_000_000) + "1e2000001"
    #expect(DecimalNumber(zeros) == DecimalNumber("1"))
    #expect(JSONNumber.classify(Array(zeros.utf8).span) == .float64(1))
  }
}
