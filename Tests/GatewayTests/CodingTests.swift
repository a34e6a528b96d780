import Codecs
import Columnar
import HTTP
import Routing
import Testing

/// Bodies and answers in the codings of HTTP, over the wire.
@Suite struct CodingTests {
  static let lines = (0..<2000).map { "{\"message\":\"line \($0) of the body\"}\n" }.joined()

  /// The answer's body as it was before it was compressed.
  static func plain(_ answer: WireAnswer) throws -> [UInt8] {
    guard let name = answer.headers["content-encoding"] else { return answer.body }
    guard let coding = ContentCoding(name) else { throw WireError.malformed(name) }
    return try coding.decode(answer.body.span, bytesMax: 64 << 20, take: { _ in true })
  }

  @Test(arguments: ["gzip", "x-gzip", "zstd", "snappy", "X-Snappy-Framed", "deflate"])
  func bodiesAreTakenInEachCoding(name: String) async throws {
    let bytes = Array(Self.lines.utf8)
    let body: [UInt8] =
      switch name {
      case "zstd": try StreamCompressor(.zstd).finish(bytes.span)
      case "snappy": try BlockCompression.snappy.compress(bytes.span)
      case "X-Snappy-Framed": try Self.framed(bytes)
      // Deflate alone: what is in a gzip member between its head and its tail.
      case "deflate": Array(try StreamCompressor(.gzip).finish(bytes.span)[10...].dropLast(8))
      default: try StreamCompressor(.gzip).finish(bytes.span)
      }
    try await withServer { server in
      let client = try server.client()
      let answer = try await client.request(
        "POST", "/v1/records/logs", headers: [("Content-Encoding", name)], bytes: body)
      #expect(answer.status == 201, "\(answer.text)")
      #expect(server.store.rowCount == 2000)
      for broken in [Array(body.dropLast()), []] {
        let refused = try await client.request(
          "POST", "/v1/records/logs", headers: [("Content-Encoding", name)], bytes: broken)
        #expect(refused.status == 400, "\(refused.text)")
      }
      for twice in ["\(name), \(name)", "br"] {
        let refused = try await client.request(
          "POST", "/v1/records/logs", headers: [("Content-Encoding", twice)], bytes: body)
        #expect(refused.status == 415)
      }
      #expect(server.store.rowCount == 2000)
      #expect(server.metrics.uploads.usedBytes == 0)
    }
  }

  private static func framed(_ bytes: [UInt8]) throws -> [UInt8] {
    var out: [UInt8] = [0xFF, 6, 0, 0] + Array("sNaPpY".utf8)
    for start in stride(from: 0, to: bytes.count, by: 65_536) {
      let data = Array(bytes[start..<min(start + 65_536, bytes.count)])
      let length = data.count + 4
      let sum = CRC32C.checksum(data)
      let masked = (sum >> 15 | sum << 17) &+ 0xA282_EAD8
      out += [1] + (0..<3).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
      out += (0..<4).map { UInt8(truncatingIfNeeded: masked >> (8 * $0)) } + data
    }
    return out
  }

  @Test func whatIsLargerThanTheBoundIsRefused() async throws {
    var limits = HTTPLimits.patient
    limits.bodyBytesMax = 50_000
    try await withServer(limits: limits) { server in
      let client = try server.client()
      let body = try StreamCompressor(.zstd).finish(Array(Self.lines.utf8).span)
      let answer = try await client.request(
        "POST", "/v1/records/logs", headers: [("Content-Encoding", "zstd")], bytes: body)
      #expect(answer.status == 413)
      #expect(server.metrics.uploads.usedBytes == 0)
    }
  }

  static let pieces: [[UInt8]] = (0..<5).map { piece in
    Array((0..<3000).map { "{\"piece\":\(piece),\"row\":\($0)}\n" }.joined().utf8)
  }

  @Test(arguments: ["gzip", "zstd", "zstd;q=0.5, gzip;q=0.1"])
  func streamedAnswersAreCompressed(accept: String) async throws {
    try await withServer(queries: FakeQueries(pieces: Self.pieces)) { server in
      let client = try server.client()
      let headers = [("Accept-Encoding", accept)]
      let answer = try await client.request("POST", "/v1/query", headers: headers, body: "{}")
      #expect(answer.isComplete)
      #expect(answer.headers["content-encoding"] == String(accept.prefix(4)))
      #expect(answer.headers["vary"] == "Accept-Encoding")
      #expect(answer.headers["transfer-encoding"] == "chunked")
      let whole = Self.pieces.flatMap(\.self)
      #expect(answer.body.count < whole.count / 3)
      #expect(try Self.plain(answer) == whole)
      #expect(try await client.request("GET", "/healthz").status == 200, "the connection goes on")
    }
  }

  @Test func anAnswerThatFailsStaysCut() async throws {
    try await withServer(queries: FakeQueries(pieces: [Self.pieces[0], Self.pieces[1], nil])) { server in
      let answer = try await server.client().request(
        "POST", "/v1/query", headers: [("Accept-Encoding", "gzip")], body: "{}")
      #expect(!answer.isComplete)
      #expect(throws: CodingError.truncated) { _ = try Self.plain(answer) }
    }
  }

  @Test func wholeAnswersAreCompressed() async throws {
    try await withServer(queries: FakeQueries(pieces: [Self.pieces[0]])) { server in
      let client = try server.client()
      for coding in ["gzip", "zstd"] {
        let headers = [("Accept-Encoding", coding)]
        let answer = try await client.request("POST", "/v1/query", headers: headers, body: "{}")
        #expect(answer.headers["content-encoding"] == coding)
        #expect(answer.headers["content-length"] == String(answer.body.count))
        #expect(try Self.plain(answer) == Self.pieces[0])
        let metrics = try await client.request("GET", "/metrics", headers: headers)
        #expect(try String(decoding: Self.plain(metrics), as: UTF8.self).contains("cordwood_connections 1"))
        let health = try await client.request("GET", "/healthz", headers: headers)
        #expect(health.headers["content-encoding"] == nil, "too short")
      }
      let plain = try await client.request("POST", "/v1/query", body: "{}")
      #expect(plain.headers["content-encoding"] == nil)
      #expect(plain.headers["vary"] == "Accept-Encoding", "a cache keeps the two apart")
      #expect(plain.body == Self.pieces[0])
      let head = try await client.request("HEAD", "/metrics", headers: [("Accept-Encoding", "gzip")])
      #expect(head.headers["content-encoding"] == "gzip")
      #expect((Int(head.headers["content-length"] ?? "") ?? 0) > 100)
      #expect(try await client.request("GET", "/healthz").status == 200, "HEAD had no body")
    }
  }
}
