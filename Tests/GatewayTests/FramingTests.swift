import NIOCore
import NIOWebSocket
import Routing
import Testing

@testable import HTTP

/// Requests and frames that two programs on the way could read in two ways.
@Suite struct FramingTests {
  @Test(arguments: [
    ("GET /healthz HTTP/1.1\r\n\r\n", 400), ("GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    ("GET /healthz HTTP/1.1\r\nhost: a\r\nHOST: a\r\n\r\n", 400),
    ("GET /healthz HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400), ("GET /healthz HTTP/1.0\r\n\r\n", 200),
    ("GET /healthz HTTP/1.1\r\nHost:\r\n\r\n", 200), ("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n", 200),
    ("POST /v1/query HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("POST /v1/query HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    ("POST /v1/query HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\n", 413),
    ("POST /v1/query HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\nContent-Length: 2\r\n\r\n{}", 400),
    ("POST /v1/query HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,\r\n\r\n", 400),
    ("GET /healthz HTTP/1.1\r\nHost: a, b\r\n\r\n", 400), ("GET /healthz HTTP/1.1\r\nHost: a@b\r\n\r\n", 400),
    ("GET /healthz HTTP/1.1\r\nHost: http://a\r\n\r\n", 400),
    ("GET /healthz HTTP/1.1\r\nHost: é\r\n\r\n", 400),
    ("GET /healthz HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", 200),
    ("GET /healthz HTTP/1.1\r\nHost: a-b_c.d~e:80\r\n\r\n", 200),
  ]) func requests(text: String, status: Int) async throws {
    try await withServer { server in
      let client = try server.client()
      try await client.send(text)
      #expect(try await client.readAnswer().status == status, "\(text)")
    }
  }

  /// A chunk of more than there may be is refused before it comes, wherever its size is cut.
  @Test(arguments: ["7fffffff", "7FFFFFFFFFFFFFFF", "100001;a=b", "0100001"])
  func chunksBeyondTheLimit(size: String) async throws {
    for cut in [0, 1, size.utf8.count + 2] {
      try await withServer { server in
        let client = try server.client()
        let line = Array((size + "\r\n").utf8)
        let head = "POST /v1/query HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        try await client.send(Array((head + "2\r\n{}\r\n").utf8) + line[..<cut])
        if cut < line.count { try await client.send(Array(line[cut...])) }
        #expect(try await client.readAnswer().status == 413)
        #expect(try await client.readToEnd().isEmpty)
      }
    }
  }

  @Test(arguments: [
    ("5\r\nhello\r\n0\r\n\r\n", [0]), ("a\r\nhello", [5]), ("A;x=\"1\"\r\n", [10]),
    ("5\r\nhello\r\n10\r\nab", [14]),
    ("zz", [0]), ("\r\n", [0]), ("ffffffffffffffffff\r\n", [.max]), ("5\nhello\n6\n", [6]),
    ("5\r\nhelloX", [0]),
  ]) func whatChunksAnnounce(text: String, expected: [Int]) {
    for isCut in [false, true] {
      var scan = ChunkScan()
      for piece in isCut ? text.utf8.map({ [$0] }) : [Array(text.utf8)] { scan.take(piece) }
      #expect([scan.bytesToCome] == expected, "\(text)")
    }
  }

  /// Frames of `bytes`, given all at once or one by one.
  private static func read(_ bytes: [UInt8], byteByByte: Bool) throws -> [[UInt8]] {
    let reader = WebSocketFrameReader(payloadBytesMax: 70_000)
    var buffer = ByteBuffer()
    var payloads: [[UInt8]] = []
    for piece in byteByByte ? bytes.map({ [$0] }) : [bytes] {
      buffer.writeBytes(piece)
      while let frame = try reader.next(in: &buffer) {
        payloads.append(Array(frame.unmaskedData.readableBytesView))
      }
    }
    return payloads
  }

  private static func frame(_ head: [UInt8], length: [UInt8], count: Int) -> [UInt8] {
    head + length + [0, 0, 0, 0] + [UInt8](repeating: 65, count: count)
  }

  @Test(arguments: [0, 1, 125, 126, 65_535, 65_536]) func theShortestLengths(count: Int) throws {
    let bytes =
      switch count {
      case ..<126: Self.frame([0x81, 0x80 | UInt8(count)], length: [], count: count)
      case ..<65_536:
        Self.frame([0x81, 0xFE], length: [UInt8(count >> 8), UInt8(count & 0xFF)], count: count)
      default: Self.frame([0x81, 0xFF], length: [0, 0, 0, 0, 0, 1, 0, 0], count: count)
      }
    for byteByByte in [false, true] {
      #expect(try Self.read(bytes + bytes, byteByByte: byteByByte).map(\.count) == [count, count])
    }
  }

  @Test(arguments: [
    (Self.frame([0x81, 0xFE], length: [0, 125], count: 125), WebSocketFrameReader.Fault.brokenLength),
    (Self.frame([0x81, 0xFE], length: [0, 0], count: 0), .brokenLength),
    (Self.frame([0x81, 0xFF], length: [0, 0, 0, 0, 0, 0, 0xFF, 0xFF], count: 65_535), .brokenLength),
    (Self.frame([0x81, 0xFF], length: [0x80, 0, 0, 0, 0, 0, 0, 0], count: 0), .brokenLength),
    (Self.frame([0x81, 0xFF], length: [0, 0, 0, 1, 0, 0, 0, 0], count: 0), .tooLong),
    (Self.frame([0x89, 0xFE], length: [0, 126], count: 126), .brokenControl),
    (Self.frame([0x09, 0x80], length: [], count: 0), .brokenControl),
  ]) func brokenFrames(bytes: [UInt8], fault: WebSocketFrameReader.Fault) {
    for byteByByte in [false, true] {
      #expect(throws: fault) { try Self.read(bytes, byteByByte: byteByByte) }
    }
  }

  /// Without end, each of them empty: no message comes of them, and no bound on bytes ends them.
  @Test func emptyFragmentsAreBounded() {
    var input = WebSocketInput(messageBytesMax: 100)
    let key: WebSocketMaskingKey = [0, 0, 0, 0]
    var events: [WebSocketInput.Event] = []
    for number in 0..<300 where events.isEmpty {
      let frame = WebSocketFrame(
        fin: false, opcode: number == 0 ? .text : .continuation, maskKey: key, data: ByteBuffer())
      if let event = input.take(frame) { events.append(event) }
    }
    guard case .failed(.policyViolation, _)? = events.first else {
      Issue.record("never refused: \(events)")
      return
    }
  }

  /// What pages of the server say to browsers.
  @Test func pagesAreKeptToThemselves() async throws {
    try await withServer { server in
      let page = try await server.client().request("GET", "/docs")
      #expect(page.headers["x-content-type-options"] == "nosniff")
      #expect(page.headers["referrer-policy"] == "no-referrer")
      #expect(
        page.headers["content-security-policy"]?.hasPrefix("default-src 'none'; base-uri 'none'; ") == true)
      #expect(!page.text.contains("<script"))
    }
  }
}
