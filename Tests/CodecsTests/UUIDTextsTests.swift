import Records
import TestKit
import Testing

@testable import Codecs

@Suite struct UUIDTextsTests {
  private func ids(_ bytes: [UInt8]) -> Column {
    Column(type: .uuid, rowCount: bytes.count / 16, validity: nil, storage: .fixed(Buffer(copying: bytes)))
  }

  private func texts(_ texts: [String?]) -> Column {
    var builder = TextBuilder()
    for text in texts { if let text { builder.appendRow(text) } else { builder.appendNull() } }
    return builder.finish(type: .utf8)
  }

  @Test func textsAreThoseOfOneId() throws {
    var random = SeededGenerator(seed: 5)
    var bytes = (0..<16 * 500).map { _ in UInt8.random(in: 0...255, using: &random) }
    bytes += [UInt8](0...255)
    let column = UUIDTexts.texts(of: ids(bytes))
    column.withText { offsets, text in
      for row in 0..<column.rowCount {
        let own = text.extracting(Int(offsets[row])..<Int(offsets[row + 1]))
        #expect(
          own.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
            == UUIDv7.text(Array(bytes[row * 16..<row * 16 + 16])))
      }
    }
    let back = try #require(UUIDTexts.ids(of: column))
    back.withUUIDs { got in
      for place in got.indices where got[place] != bytes[place] { Issue.record("\(place)") }
    }
    #expect(UUIDTexts.ids(of: UUIDTexts.texts(of: ids([])))?.rowCount == 0)
  }

  /// What lies in a damaged file is no id, wherever the damage is.
  @Test func anythingElseIsNone() {
    let good = "01977420-dc00-7abc-8123-456789abcdef"
    #expect(UUIDTexts.ids(of: texts([good, good])) != nil)
    for place in 0..<36 {
      for other in ["G", "A", "`", "/", ":", "g", "@", " ", "\u{0}", "-", "0"] {
        var text = good.map { String($0) }
        if text[place] == other || (other == "0" && text[place] != "-") { continue }
        text[place] = other
        #expect(UUIDTexts.ids(of: texts([good, text.joined()])) == nil, "\(text.joined())")
      }
    }
    #expect(UUIDTexts.ids(of: texts([good, nil])) == nil)
    #expect(UUIDTexts.ids(of: texts([String(good.dropLast()), good + "0"])) == nil)
    #expect(UUIDTexts.ids(of: texts([""])) == nil)
    #expect(UUIDTexts.ids(of: texts(["é" + good.dropFirst(2)])) == nil)
  }
}
