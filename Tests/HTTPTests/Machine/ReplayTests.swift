import NIOCore
import NIOEmbedded
import NIOHTTP1
import Routing
import Testing

@testable import HTTP

/// Recorded bytes of clients, cut at every place, through the real decoder: the machine does the same however
/// they arrive.
@Suite struct ReplayTests {
  struct Recording: Sendable, CustomTestStringConvertible {
    var name: String
    var text: String
    var testDescription: String { name }
  }

  static let recordings = [
    Recording(
      name: "requests one after the other",
      text: "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
        + "GET /echo?x=1 HTTP/1.1\r\nHost: a\r\nX-Request-Id: mine-1\r\n\r\n"
        + "HEAD /echo HTTP/1.1\r\nHost: a\r\n\r\n" + "PUT /nothing HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"
        + "GET /stream HTTP/1.1\r\n\r\n" + "GET /fail HTTP/1.1\r\n\r\n"),
    Recording(
      name: "chunks",
      text: "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
        + "GET /echo HTTP/1.1\r\n\r\n"),
    Recording(
      name: "a body that is declared too long, and short enough to be dropped",
      text: "POST /echo HTTP/1.1\r\nContent-Length: 70\r\n\r\n" + String(repeating: "x", count: 70)
        + "GET /echo HTTP/1.1\r\n\r\n"),
    Recording(
      name: "chunks that grow too long",
      text: "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n28\r\n"
        + String(repeating: "x", count: 40) + "\r\n28\r\n" + String(repeating: "y", count: 40)
        + "\r\n0\r\n\r\n"),
    Recording(
      name: "expects to be told to go on",
      text: "POST /echo HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\nhello"),
    Recording(
      name: "expects to be told, and is refused",
      text: "POST /nothing HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"),
    Recording(
      name: "an old client",
      text: "POST /echo HTTP/1.0\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi"
        + "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
    Recording(
      name: "the last request", text: "GET /echo HTTP/1.1\r\nConnection: close\r\n\r\nGET /echo HTTP/1.1\r\n"
    ),
    Recording(name: "garbage", text: "garbage of no kind\r\n\r\n"),
    Recording(name: "a version of no kind", text: "GET /echo HTTP/7.3\r\n\r\n"),
    Recording(
      name: "garbage behind a request", text: "GET /echo HTTP/1.1\r\n\r\n\u{1}\u{2}\u{3}garbage\r\n\r\n"),
    Recording(
      name: "a chunk of no size", text: "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
    Recording(name: "an answer that is cut", text: "GET /cut HTTP/1.1\r\n\r\nGET /echo HTTP/1.1\r\n\r\n"),
    Recording(
      name: "events", text: "GET /live HTTP/1.1\r\nAccept: text/html, text/event-stream;q=1\r\n\r\n"),
    Recording(
      name: "a WebSocket",
      text: "GET /live HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
    Recording(
      name: "a broken handshake",
      text: "GET /live HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
    Recording(
      name: "a body cut short", text: "POST /echo HTTP/1.1\r\nContent-Length: 50\r\n\r\nonly so much"),
  ]

  /// What comes of the bytes, however they are cut.
  static func replay(_ pieces: [[UInt8]]) throws -> MachineRun {
    var run = MachineRun()
    let channel = EmbeddedChannel()
    var limits = NIOHTTPDecoderLimitConfiguration()
    limits.maxHeaderFieldSize = 64 << 10
    try channel.pipeline.syncOperations.addHandler(HTTPCodec(limits: limits).decoder)
    for piece in pieces {
      var fault: RequestFault?
      do { try channel.writeInbound(ByteBuffer(bytes: piece)) } catch let error as HTTPParserError {
        fault = RequestFault(error)
      } catch is ByteToMessageDecoderError {
        // What comes behind bytes that were no request: the shell closes, and has answered already.
      }
      while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
        switch part {
        case .head(let head): run.take(.part(.head(ReceivedHead(head))))
        case .body(let bytes): run.take(.part(.body(Array(bytes.readableBytesView))))
        case .end: run.take(.part(.end))
        }
      }
      if let fault { run.take(.broken(fault, freshID: "fresh")) }
    }
    run.take(.inputClosed)
    run.take(.inactive)
    _ = try? channel.finish()
    return run
  }

  /// A decoder that failed fails again at each further piece: how often the connection is then closed is no
  /// difference.
  static func result(_ run: MachineRun) -> [String] {
    run.lines.filter { $0 != "close" }
  }

  @Test(arguments: recordings)
  func cutsMakeNoDifference(recording: Recording) throws {
    let bytes = Array(recording.text.utf8)
    let whole = try Self.replay([bytes])
    let isAnswered = whole.lines.contains { $0.hasPrefix("head") || $0.hasPrefix("upgrade") }
    #expect(isAnswered != (recording.name == "a body cut short"))
    for cut in 1..<bytes.count {
      let run = try Self.replay([Array(bytes[..<cut]), Array(bytes[cut...])])
      #expect(Self.result(run) == Self.result(whole), "cut at \(cut)")
      #expect(run.budget.usedBytes == 0)
    }
    let single = try Self.replay(bytes.map { [$0] })
    #expect(Self.result(single) == Self.result(whole), "byte by byte")
    #expect(single.budget.usedBytes == 0)
  }

  @Test func whatComesOfPipelinedRequests() throws {
    let run = try Self.replay([Array(Self.recordings[0].text.utf8)])
    #expect(
      run.lines == [
        "admit POST /echo", "run /echo id1 from 192.0.2.1 short hello",
        "head 1.1 200 Content-Type=text/plain X-Request-Id=id1 Vary=Origin Date=today Content-Length=5",
        "body hello", "end", "record /echo POST 200", "admit GET /echo?x=1",
        "run /echo mine-1 from 192.0.2.1 short ",
        "head 1.1 200 Content-Type=text/plain X-Request-Id=mine-1 Vary=Origin Date=today Content-Length=0",
        "end", "record /echo GET 200", "admit HEAD /echo", "run /echo id2 from 192.0.2.1 short ",
        "head 1.1 200 Content-Type=text/plain X-Request-Id=id2 Vary=Origin Date=today Content-Length=0",
        "end", "record /echo HEAD 200", "admit PUT /nothing", "report 404 none id3",
        "head 1.1 404 Content-Type=application/problem+json X-Request-Id=id3 Vary=Origin Date=today "
          + "Content-Length=102",
        "body {\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,"
          + "\"detail\":\"Nothing is here.\",\"request_id\":\"id3\"}", "end", "record none PUT 404",
        "admit GET /stream",
        "run /stream id4 from 192.0.2.1 short ", "piece write", "piece write",
        "head 1.1 200 Content-Type=text/plain X-Request-Id=id4 Vary=Origin Date=today "
          + "Transfer-Encoding=chunked", "end", "record /stream GET 200", "admit GET /fail",
        "run /fail id5 from 192.0.2.1 short ",
        "report 500 /fail id5",
        "head 1.1 500 Content-Type=application/problem+json X-Request-Id=id5 Vary=Origin Date=today "
          + "Content-Length=115",
        "body {\"type\":\"about:blank\",\"title\":\"Internal Server Error\",\"status\":500,"
          + "\"detail\":\"The disk is gone.\",\"request_id\":\"id5\"}", "end", "record /fail GET 500",
        "close",
        "cancel",
      ])
  }
}
