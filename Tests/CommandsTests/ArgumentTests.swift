import Testing

@testable import Commands

@Suite struct ArgumentTests {
  /// A value may begin with any character, one that joins the `=` before it too.
  @Test(arguments: [
    ("--contains=\u{301}e", ["--contains", "\u{301}e"]), ("--contains=e", ["--contains=e"]),
    ("--where=a=\u{301}b", ["--where=a=\u{301}b"]), ("\u{301}=\u{301}", ["\u{301}=\u{301}"]),
    ("--x", ["--x"]),
  ])
  func valuesBehindAMark(argument: String, expected: [String]) {
    #expect(CordwoodMain.separated(argument).map { Array($0.utf8) } == expected.map { Array($0.utf8) })
  }
}
