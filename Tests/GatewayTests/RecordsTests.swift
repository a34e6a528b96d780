import APIs
import Codecs
import Foundation
import HTTP
import Records
import Routing
import Synchronization
import Testing

/// `POST /v1/records/{dataset}` beyond its statuses.
@Suite struct RecordsRouteTests {
  @Test func repeatsWithAKeyAreWrittenOnce() async throws {
    try await withServer { server in
      let client = try server.client()
      let headers = [("Idempotency-Key", "k-1")]
      let first = try await client.request(
        "POST", "/v1/records/logs", headers: headers, body: "{\"message\":\"a\"}")
      let second = try await client.request(
        "POST", "/v1/records/logs", headers: headers, body: "{\"message\":\"a\"}")
      #expect(first.status == 201)
      #expect(second.status == 201)
      #expect(first.text == second.text)
      #expect(second.headers["idempotency-replayed"] == "true")
      for (path, body) in [
        ("/v1/records/logs", "{\"message\":\"b\"}"), ("/v1/records/sessions", "{\"message\":\"a\"}"),
        ("/v1/records/logs?on_error=skip", "{\"message\":\"a\"}"),
      ] {
        let other = try await client.request("POST", path, headers: headers, body: body)
        #expect(other.status == (path.hasSuffix("sessions") ? 400 : 422), "\(path)")
      }
      #expect(server.store.rowCount == 1)
    }
  }

  /// What is kept of a repeatable request tells nothing of it without the server's secret: neither the key
  /// nor, by trying, what is masked in the body.
  @Test func whatIsKeptOfARequestTellsNothing() async throws {
    try await withServer { server in
      let client = try server.client()
      let body = "{\"message\":\"a\",\"metadata\":{\"password\":\"7391\"}}"
      let headers = [("Idempotency-Key", "order-of-bob@example.com")]
      #expect(
        try await client.request("POST", "/v1/records/logs", headers: headers, body: body).status == 201)
      let kept = try #require(server.store.state.withLock { $0.appended.last?.key })
      #expect(kept.key.utf8.count == 22 && !kept.key.contains("bob") && kept.bodyHash.count == 16)
      let other = RequestSeal(key: [UInt8](repeating: 8, count: 32))
      for salt in UInt64(0)..<64 {
        #expect(other.body(Array(body.utf8), salt: salt) != kept.bodyHash)
        let sums = [salt, salt ^ 1 << 32].map { Hash64.xxh64(Array(body.utf8), seed: $0) }
        #expect(
          kept.bodyHash != sums.flatMap { sum in (0..<8).map { UInt8(truncatingIfNeeded: sum >> (8 * $0)) } })
      }
      #expect(other.key("order-of-bob@example.com") != kept.key)
      #expect(testSeal.key("order-of-bob@example.com") == kept.key)
      // An earlier version's form goes along to be looked for, and is not what is kept.
      #expect(kept.earlier?.key == "order-of-bob@example.com")
    }
  }

  @Test func sealsTellRequestsApart() {
    let seal = testSeal
    #expect(seal.body([1, 2], salt: 3) == seal.body([1, 2], salt: 3))
    #expect(seal.body([1, 2], salt: 3) != seal.body([1, 2], salt: 4))
    #expect(seal.body([1, 2], salt: 3) != seal.body([2, 1], salt: 3))
    #expect(seal.body([], salt: 3) != seal.body([0], salt: 3))
    #expect(seal.key("a") != seal.key("b"))
  }

  @Test func skippingTellsWhatWasLeftOut() async throws {
    try await withServer { server in
      let client = try server.client()
      let body = "{\"message\":\"a\"}\n{\"message\":7}\n{\"message\":\"c\"}\n"
      let path = "/v1/records/logs?on_error=skip"
      let headers = [("Idempotency-Key", "k-2")]
      for _ in 0..<2 {
        let answer = try await client.request("POST", path, headers: headers, body: body)
        #expect(answer.status == 201)
        let json = try #require(try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any])
        #expect(json["accepted"] as? Int == 2)
        #expect(json["rejected"] as? Int == 1)
        let errors = try #require(json["errors"] as? [[String: Any]])
        #expect(errors.count == 1)
        #expect(errors[0]["entry"] as? Int == 1)
        #expect(errors[0]["field"] as? String == "message")
      }
      #expect(server.store.rowCount == 2)
      let none = try await client.request("POST", path, body: "{\"message\":7}")
      #expect(none.status == 200)
      #expect(none.text.hasPrefix("{\"accepted\":0,\"rejected\":1,"))
      let whole = try await client.request("POST", "/v1/records/logs", body: body)
      #expect(whole.status == 400)
      #expect(whole.text.contains("\"entry\":1"))
      #expect(server.store.rowCount == 2)
    }
  }

  @Test func largeBodiesArriveWhole() async throws {
    try await withServer { server in
      let line = "{\"message\":\"" + String(repeating: "x", count: 400) + "\"}\n"
      let answer = try await server.client().request(
        "POST", "/v1/records/logs", body: String(repeating: line, count: 20_000))
      #expect(answer.text == "{\"accepted\":20000,\"first_position\":0,\"last_position\":19999}")
      #expect(server.metrics.uploads.usedBytes == 0)
    }
  }

  @Test func metricsCountWithoutUnboundedLabels() async throws {
    try await withServer { server in
      let client = try server.client()
      for index in 0..<50 { _ = try await client.request("GET", "/nothing/\(index)") }
      _ = try await client.request(
        "POST", "/v1/records/logs", body: "{\"message\":\"a\"}\n{\"message\":\"b\"}")
      let text = try await client.request("GET", "/metrics").text
      #expect(
        text.contains("cordwood_http_requests_total{route=\"unknown\",method=\"GET\",status=\"404\"} 50\n"))
      #expect(text.contains("cordwood_records_accepted_total{dataset=\"logs\"} 2\n"))
      #expect(text.contains("# TYPE cordwood_http_request_seconds histogram\n"))
      #expect(!text.contains("/nothing/"))
    }
  }

  /// `{"message":"a"}`, gzipped.
  static let small = "H4sIAAAAAAACA6tWyk0tLk5MT1WyUkpUqgUAj76Egw8AAAA="
  /// 2 MiB of spaces, gzipped.
  static let bomb =
    "H4sIAAAAAAACA+3BMQEAAADCoCrrn9IYPkABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAfA1+GoVcAAAgAA=="

  @Test func gzipIsUnpackedWithinItsLimits() async throws {
    var limits = HTTPLimits.patient
    limits.bodyBytesMax = 1 << 20
    limits.uploadBytesMax = 1 << 21
    try await withServer(limits: limits) { server in
      let client = try server.client()
      let small = try #require(Data(base64Encoded: RecordsRouteTests.small))
      let bomb = try #require(Data(base64Encoded: RecordsRouteTests.bomb))
      let cases: [(String, Data, Int)] = [
        ("one member", small, 201), ("two members", small + small, 400), ("a line end between", small, 201),
        ("cut short", small.dropLast(), 400), ("rubbish behind", small + Data([1, 2, 3]), 400),
        ("bomb", bomb, 413),
        ("empty", Data(), 400),
      ]
      for (name, body, status) in cases {
        let answer = try await client.request(
          "POST", "/v1/records/logs", headers: [("Content-Encoding", "gzip")], bytes: [UInt8](body))
        #expect(answer.status == status, "\(name): \(answer.text)")
        #expect(server.metrics.uploads.usedBytes == 0, "\(name)")
      }
      #expect(server.store.rowCount == 2)
    }
  }
}
