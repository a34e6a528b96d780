import Columnar
import Routing
import Testing

@testable import HTTP

@Suite struct AcceptedCodingsTests {
  static let cases: [(String?, StreamCompressor.Coding?)] = [
    (nil, nil), ("", nil), ("gzip", .gzip), ("GZIP", .gzip), ("x-gzip", .gzip), ("zstd", .zstd),
    ("gzip, deflate, br, zstd", .zstd), ("gzip, deflate, br", .gzip), ("deflate, br", nil), ("*", .zstd),
    ("*;q=0", nil), ("gzip;q=0", nil), ("gzip;q=0, *", .zstd), ("zstd;q=0, *;q=0.1", .gzip),
    ("gzip;q=1.0, zstd;q=0.9", .gzip), ("gzip; q=0.5 , zstd ; Q=0.5", .zstd), ("identity", nil),
    ("identity, gzip", .gzip), ("identity;q=1, gzip;q=0.5", nil), ("identity;q=0.2, gzip;q=0.5", .gzip),
    ("identity;q=0, br", nil), ("gzip;q=nonsense", nil), ("gzip;q=2", nil), ("gzip;q=-1", nil),
    (";q=1", nil), (",,,", nil), ("gzip;level=9;q=0.1", .gzip), ("gzip;q=0.001", .gzip),
  ]

  @Test func theBestIsChosen() {
    for (value, expected) in Self.cases {
      let headers = HeaderFields(value.map { [(name: "accept-ENCODING", value: $0)] } ?? [])
      #expect(AcceptedCodings(headers).best == expected, "\(value ?? "no field")")
    }
    let split: HeaderFields = ["Accept-Encoding": "gzip;q=0.1", "accept-encoding": "zstd;q=0.2"]
    #expect(AcceptedCodings(split).best == .zstd)
  }

  static let large = Array(String(repeating: "{\"a\":1}\n", count: 200).utf8)

  @Test func whatIsCompressed() throws {
    let asks: HeaderFields = ["Accept-Encoding": "gzip"]
    let cases: [(String, HTTPStatus, HeaderFields, [UInt8], mixes: Bool, fields: [String])] = [
      ("application/json", 200, asks, AcceptedCodingsTests.large, false, ["Vary", "Content-Encoding"]),
      ("application/json", 500, asks, AcceptedCodingsTests.large, false, ["Vary", "Content-Encoding"]),
      ("application/json", 200, [:], AcceptedCodingsTests.large, false, ["Vary"]),
      ("application/json", 200, asks, AcceptedCodingsTests.large, true, []),
      ("application/json", 204, asks, AcceptedCodingsTests.large, false, []),
      ("application/json", 304, asks, AcceptedCodingsTests.large, false, []),
      ("application/json", 200, asks, Array(AcceptedCodingsTests.large[..<1024]), false, []),
      (
        "application/json", 200, asks, Array(AcceptedCodingsTests.large[..<1025]), false,
        ["Vary", "Content-Encoding"]
      ),
      (
        "application/problem+json", 400, asks, AcceptedCodingsTests.large, false,
        ["Vary", "Content-Encoding"]
      ),
      (
        "Text/CSV; charset=utf-8", 200, asks, AcceptedCodingsTests.large, false, ["Vary", "Content-Encoding"]
      ),
      (
        "application/vnd.apache.arrow.stream", 200, asks, AcceptedCodingsTests.large, false,
        ["Vary", "Content-Encoding"]
      ),
      ("application/vnd.apache.parquet", 200, asks, AcceptedCodingsTests.large, false, []),
      ("text/event-stream", 200, asks, AcceptedCodingsTests.large, false, []),
      ("image/png", 200, asks, AcceptedCodingsTests.large, false, []),
    ]
    for (type, status, headers, body, mixes, fields) in cases {
      let head = RequestHead(.get, "/", headers: headers)
      let compression = AnswerCompression(head, mixesSecrets: mixes)
      let answer = compression.apply(to: HTTPAnswer(status, contentType: type, body: body))
      #expect(answer.headers.dropFirst().map(\.name) == fields, "\(type) \(status.code) \(body.count)")
      let isCompressed = fields.contains("Content-Encoding")
      let plain =
        isCompressed
        ? try ContentCoding.gzip.decode(answer.body.span, bytesMax: 1 << 20, take: { _ in true })
        : answer.body
      #expect(plain == body)
      #expect(!isCompressed || answer.body.count < body.count / 4)
    }
    let ready = HTTPAnswer(
      .ok, contentType: "text/plain", headers: [("content-encoding", "br")], body: Self.large)
    let head = RequestHead(.get, "/", headers: asks)
    #expect(AnswerCompression(head, mixesSecrets: false).apply(to: ready).body == Self.large)
  }
}
