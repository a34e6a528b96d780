import Records
import Testing

/// Bytes decide who is who.
@Suite struct NameTests {
  @Test func equalLooksAreTwoNames() {
    for (left, right) in [("BANK", "BAN\u{212A}"), ("caf\u{E9}", "cafe\u{301}"), ("\u{3A9}", "\u{2126}")] {
      #expect(left == right, "as texts they are one")
      #expect(Name(left) != Name(right))
      #expect(Set([Name(left), Name(right)]).count == 2)
      #expect(Name(left) < Name(right) || Name(right) < Name(left))
      let (one, two) = (Tenant(realm: .audit, name: left), Tenant(realm: .audit, name: right))
      #expect(one != two && Set([one, two]).count == 2)
      let partitions = [one, two].map { Partition(tenant: $0, dataset: .audit) }
      #expect(partitions[0].precedes(partitions[1]) != partitions[1].precedes(partitions[0]))
      let paths = [left, right].map { ColumnPath("metadata", members: [$0]) }
      #expect(paths[0] != paths[1] && Set(paths).count == 2)
      #expect(Literal.string(left) != Literal.string(right))
    }
  }

  @Test func formsAreTold() {
    for text in ["", "plain", "caf\u{E9}", "李", "\u{1F600}"] { #expect(text.isNormalized) }
    for text in ["cafe\u{301}", "BAN\u{212A}", "a\u{316}\u{301}b\u{301}\u{316}"] {
      #expect(!text.isNormalized)
    }
  }

  @Test func marksDoNotHideWhatIsSpecial() {
    #expect("a\"\u{301}b\\\u{316}".escaped { $0 == "\"" || $0 == "\\" } == "a\\\"\u{301}b\\\\\u{316}")
    #expect("a&\u{301}b&c".parts(at: "&").map(String.init) == ["a", "\u{301}b", "c"])
    #expect("a&b&c".parts(at: "&", most: 2).map(String.init) == ["a", "b&c"])
    #expect("".parts(at: "&").map(String.init) == [""])
    #expect(" \t a b\t".trimmed == "a b" && "  ".trimmed.isEmpty)
    #expect("\u{212A}ELVIN Ä".asciiLowercased.hasBytes(of: "\u{212A}elvin Ä"))
  }

  @Test func casesAreFoundByTheirBytes() {
    #expect(Comparison(word: "eq") == .equal)
    #expect(Comparison(word: "e\u{1D42A}") == nil)
    switch "\u{212A}" {
    case "K": Issue.record("a pattern compares bytes")
    default: break
    }
  }
}
