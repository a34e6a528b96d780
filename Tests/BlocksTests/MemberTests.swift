import Codecs
import Records
import Testing

@testable import Blocks

@Suite struct MemberTests {
  private func names(_ members: [String], _ types: [ColumnType] = [.utf8]) -> [String] {
    MemberNames.columns(of: "metadata", members.map { ShredMember(name: $0, types: types) }).map(
      \.physicalName)
  }

  @Test func namesAreEscaped() {
    #expect(
      names(["a.b", "a:b", "a%2Eb", "", "tab\t", "é", "É", "a^1", "\u{212A}", "ſ", "ß", "中", "a b"]) == [
        "metadata.a%2Eb", "metadata.a%3Ab", "metadata.a%252Eb^8", "metadata.%", "metadata.tab%09",
        "metadata.é",
        "metadata.%C3%89", "metadata.a%5E1", "metadata.%E2%84%AA", "metadata.%C5%BF", "metadata.ß",
        "metadata.中",
        "metadata.a b",
      ])
    #expect(
      names(["userId", "userid", "URL", "A", "requestURL"]) == [
        "metadata.userId^10", "metadata.userid", "metadata.URL^7", "metadata.A^1", "metadata.requestURL^380",
      ])
  }

  /// In all blocks: no other member of the block has a say.
  @Test func aNameHasOneType() {
    #expect(
      names(["n"], [.int64, .utf8, .bool, .float64]) == [
        "metadata.n:int64", "metadata.n", "metadata.n:bool", "metadata.n:float64",
      ])
    #expect(names(["n"], [.float64]) == ["metadata.n:float64"])
  }

  /// As Java compares without case: in upper case, then in lower case.
  private func folded(_ name: String) -> [Unicode.Scalar] {
    name.unicodeScalars.map { scalar in
      let upper = scalar.properties.uppercaseMapping.unicodeScalars
      let one = upper.count == 1 ? upper[upper.startIndex] : scalar
      let lower = one.properties.lowercaseMapping.unicodeScalars
      return lower.count == 1 ? lower[lower.startIndex] : one
    }
  }

  @Test func noTwoNamesDifferByCaseAlone() {
    let pieces = [
      "a", "A", "k", "K", "\u{212A}", "s", "S", "ſ", "σ", "ς", "Σ", "i", "I", "ı", "İ", "é", "É", "e\u{301}",
      "E\u{301}", "ǆ", "ǅ", "Ǆ", "µ", "μ", "Å", "\u{212B}", "^", "^1", "%", ":int64", "1", "ß", "ẞ", "中",
    ]
    var members = pieces
    for one in pieces { for other in pieces { members.append(one + other) } }
    var seen: [[Unicode.Scalar]: String] = [:]
    for member in Dictionary(grouping: members, by: { Array($0.utf8) }).values.compactMap(\.first) {
      for name in names([member], [.utf8, .int64, .bool]) {
        let other = seen.updateValue(member, forKey: folded(name))
        #expect(other == nil, "\(member) and \(other ?? "") are \(name)")
      }
    }
  }

  private func census(_ texts: [String?]) -> MemberCensus {
    var builder = TextBuilder()
    for text in texts { if let text { builder.appendRow(text) } else { builder.appendNull() } }
    var census = MemberCensus()
    census.add(builder.finish(type: .json))
    return census
  }

  @Test func frequentMembersAreChosenByTypeAndFrequency() {
    var texts: [String?] = (0..<900).map { "{\"n\":\($0),\"k\($0)\":1}" }
    texts += (0..<100).map { _ in "{\"n\":\"text\",\"o\":{},\"z\":null,\"seldom\":1.5}" }
    texts += [String?](repeating: nil, count: 9_000)
    let members = census(texts).members(columnsMax: 64)
    #expect(
      members == [
        ShredMember(name: "n", types: [.int64, .utf8]), ShredMember(name: "seldom", types: [.float64]),
      ])
    #expect(census(texts).members(columnsMax: 1) == [ShredMember(name: "n", types: [.int64])])
  }

  @Test func namesWithoutEndAreForgotten() {
    var census = MemberCensus()
    for round in 0..<50 {
      var builder = TextBuilder()
      for row in 0..<1_000 {
        let others = (0..<10).map { ",\"k\(round)-\(row)-\($0)\":1" }.joined()
        builder.appendRow("{\"kept\":1\(others)}")
      }
      census.add(builder.finish(type: .json))
    }
    #expect(census.members(columnsMax: 64) == [ShredMember(name: "kept", types: [.int64])])
  }

  @Test func longNamesAreLeftOut() {
    let name = String(repeating: "n", count: 257)
    #expect(census(["{\"\(name)\":1}", "{\"\(name)\":1}"]).members(columnsMax: 64).isEmpty)
  }
}
