import Testing

@testable import Commands

@Suite struct EventStreamTests {
  private static let text =
    "id: 7\ndata: {\"a\":1}\n\n: heartbeat\n\nevent: dropped\r\ndata: x\r\ndata:y\r\n\r\nid: 8\n\nid: 9\ndata: cut"

  /// However the stream is cut, the same events come, and an id counts only with its whole event.
  @Test(arguments: [1, 2, 3, 5, 64]) func piecesMakeTheSameEvents(size: Int) {
    var parser = EventStreamParser()
    var events: [EventStreamParser.Event] = []
    var bytes = Array(EventStreamTests.text.utf8)[...]
    while !bytes.isEmpty {
      events += parser.feed(bytes.prefix(size))
      bytes = bytes.dropFirst(size)
    }
    #expect(
      events == [
        .init(type: "message", data: "{\"a\":1}", id: "7"), .init(type: "dropped", data: "x\ny", id: "7"),
      ])
    // The id alone counts, that of the event without its end does not: it was not shown.
    #expect(parser.lastID == "8")
  }

  @Test func aLineWithoutEndTakesNoMemory() {
    var parser = EventStreamParser(lineBytesMax: 8)
    for _ in 0..<1_000 { #expect(parser.feed(Array("data: aaaaaaaaaa".utf8)).isEmpty) }
    #expect(parser.feed(Array("\n\n".utf8)) == [.init(type: "message", data: "aa", id: nil)])
  }
}
