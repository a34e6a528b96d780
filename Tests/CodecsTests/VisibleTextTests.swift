import Codecs
import Testing

/// Text of others neither steers a terminal nor makes lines of a log.
@Suite struct VisibleTextTests {
  @Test(arguments: [
    ("plain", "plain"), ("häuser €", "häuser €"), ("a\u{1B}[2Jb", "a\\x1b[2Jb"), ("a\nb", "a\\x0ab"),
    ("\u{7F}\u{80}\u{9B}31m\u{9F}\u{A0}", "\\x7f\\x80\\x9b31m\\x9f\u{A0}"),
    ("\u{202E}gnp.exe", "\\N{RLO}gnp.exe"),
    ("\u{2066}\u{2069}\u{200F}\u{61C}", "\\N{LRI}\\N{PDI}\\N{RLM}\\N{ALM}"),
    ("\u{2028}", "\\N{LS}"), ("e\u{301}\u{1F600}", "e\u{301}\u{1F600}"),
    // A control character within a grapheme.
    ("a\u{1B}\u{301}", "a\\x1b\u{301}"), ("\r\n", "\\x0d\\x0a"),
  ]) func controlCharactersAreShown(text: String, shown: String) {
    #expect(Array(VisibleText.shown(text).utf8) == Array(shown.utf8))
  }

  /// Every control character beyond eight bits has a name.
  @Test func namesAreThereForAll() {
    for value in UInt32(0x100)...0xFFFF {
      guard let scalar = Unicode.Scalar(value), VisibleText.isControl(scalar) else { continue }
      #expect(VisibleText.escape(scalar).hasPrefix("\\N{"), "\(value)")
    }
  }

  @Test func whatIsLinesKeepsItsLines() {
    #expect(VisibleText.shown("a\r\n\tb\u{1B}\n", keeping: "\n\t") == "a\\x0d\n\tb\\x1b\n")
  }

  @Test func jsonStaysTheSameValue() throws {
    let tree = JSONTree.object([.init("a\u{9B}", .string("x\u{202E}\u{7F}\u{1B}\n€")), .init("b", .int64(1))])
    let escaped = VisibleText.escaped(json: Array(tree.text.utf8))
    #expect(escaped.allSatisfy { $0 >= 0x20 && $0 != 0x7F })
    #expect(try JSONTree(parsing: escaped) == tree)
    #expect(!String(decoding: escaped, as: UTF8.self).unicodeScalars.contains { VisibleText.isControl($0) })
  }
}
