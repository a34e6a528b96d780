import Codecs
import Records
import Testing

@testable import Blocks

@Suite struct MemberTests {
  @Test func namesAreEscapedAndNeverMeet() {
    let members = ["a.b", "a:b", "a%2Eb", "", "User", "user", "uSER", "tab\t", "é"].map {
      ShredMember(name: $0, types: [.utf8, .int64])
    }
    let names = MemberNames.columns(of: "metadata", members).map(\.physicalName)
    #expect(
      names.enumerated().filter { $0.offset % 2 == 0 }.map(\.element) == [
        "metadata.a%2Eb", "metadata.a%3Ab", "metadata.a%252Eb", "metadata.%", "metadata.%55ser",
        "metadata.user", "metadata.u%53%45%52", "metadata.tab%09", "metadata.é",
      ])
    #expect(names[1] == "metadata.a%2Eb:int64")
    #expect(Set(names.map { $0.lowercased() }).count == names.count)
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
