import APIs
import Foundation
import HTTP
import Records
import Routing
import Testing

/// What the wire can do to a server: slow, broken, huge, pipelined, half-closed.
@Suite struct ConnectionTests {
  static let post = "POST /v1/records/logs HTTP/1.1\r\nHost: a\r\n"

  @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
    try await withServer { server in
      let client = try server.client()
      let one = ConnectionTests.post + "Content-Length: 15\r\n\r\n{\"message\":\"a\"}"
      try await client.send(String(repeating: one, count: 40) + "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
      for index in 0..<40 {
        let answer = try await client.readAnswer()
        #expect(answer.text == "{\"accepted\":1,\"first_position\":\(index),\"last_position\":\(index)}")
      }
      #expect(try await client.readAnswer().status == 200)
    }
  }

  @Test func aBodyMayArriveByteByByteAndChunked() async throws {
    try await withServer { server in
      let client = try server.client()
      for byte in (ConnectionTests.post + "Content-Length: 15\r\n\r\n{\"message\":\"a\"}").utf8 {
        try await client.send([byte])
      }
      #expect(try await client.readAnswer().status == 201)
      try await client.send(
        ConnectionTests.post
          + "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"mes\r\na\r\nsage\":\"a\"}\r\n0\r\n\r\n")
      #expect(try await client.readAnswer().status == 201)
      #expect(server.store.rowCount == 2)
    }
  }

  @Test func declaredAndActualExcessAreRefused() async throws {
    var limits = HTTPLimits.patient
    limits.bodyBytesMax = 1000
    try await withServer(limits: limits) { server in
      let declared = try server.client()
      try await declared.send(ConnectionTests.post + "Content-Length: 99999999999\r\n\r\n")
      #expect(try await declared.readAnswer().status == 413)
      #expect(try await declared.readToEnd().isEmpty)
      let chunked = try server.client()
      try await chunked.send(ConnectionTests.post + "Transfer-Encoding: chunked\r\n\r\n")
      try await chunked.send("400\r\n" + String(repeating: " ", count: 1024) + "\r\n")
      #expect(try await chunked.readAnswer().status == 413)
      let small = try server.client()
      try await small.send(
        ConnectionTests.post + "Content-Length: 1001\r\n\r\n" + String(repeating: " ", count: 1001))
      #expect(try await small.readAnswer().status == 413)
      #expect(
        try await small.request("GET", "/healthz").status == 200,
        "a small rest is dropped, the connection stays")
      #expect(server.metrics.uploads.usedBytes == 0)
    }
  }

  @Test func theUploadBudgetIsSharedAndGivenBack() async throws {
    var limits = HTTPLimits.patient
    limits.uploadBytesMax = 4096
    try await withServer(limits: limits) { server in
      let holder = try server.client()
      try await holder.send(
        ConnectionTests.post + "Content-Length: 4000\r\n\r\n" + String(repeating: " ", count: 3000))
      while server.metrics.uploads.usedBytes < 3000 { await Task.yield() }
      let other = try server.client()
      let refused = try await other.request(
        "POST", "/v1/records/logs", body: String(repeating: " ", count: 2000))
      #expect(refused.status == 503)
      #expect(refused.headers["retry-after"] == "1")
      holder.finishSending()
      _ = try await holder.readToEnd()
      while server.metrics.uploads.usedBytes > 0 { await Task.yield() }
      let again = try server.client()
      #expect(try await again.request("POST", "/v1/records/logs", body: "{\"message\":\"a\"}").status == 201)
    }
  }

  @Test func expectContinueIsAnsweredAfterTheCredentialWasChecked() async throws {
    try await withServer(isOpen: false) { server in
      let client = try server.client()
      let head = ConnectionTests.post + "Content-Length: 15\r\nExpect: 100-continue\r\n"
      try await client.send(head + "Authorization: Bearer \(TestServer.writerKey)\r\n\r\n")
      #expect(try await client.readSome() == "HTTP/1.1 100 Continue\r\n\r\n")
      try await client.send("{\"message\":\"a\"}")
      #expect(try await client.readAnswer().status == 201)
      let stranger = try server.client()
      try await stranger.send(head + "\r\n")
      let answer = try await stranger.readAnswer()
      #expect(answer.status == 401)
      #expect(answer.headers["connection"] == "close")
      #expect(try await stranger.readToEnd().isEmpty)
    }
  }

  @Test(arguments: [
    "garbage\r\n\r\n", "POST / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
    "POST /v1/records/logs HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "POST /v1/records/logs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  ])
  func garbageIsRefusedAndTheConnectionEnds(text: String) async throws {
    try await withServer { server in
      let client = try server.client()
      try await client.send(text)
      #expect(try await client.readAnswer().status == 400)
      #expect(try await client.readToEnd().isEmpty)
      #expect(server.store.rowCount == 0)
      #expect(try await server.client().request("GET", "/healthz").status == 200)
    }
  }

  @Test func longHeadersAreRefused() async throws {
    try await withServer { server in
      let client = try server.client()
      try await client.send("GET / HTTP/1.1\r\nX: " + String(repeating: "a", count: 70_000) + "\r\n\r\n")
      #expect(try await client.readAnswer().status == 431)
    }
  }

  @Test func brokenOffUploadsStoreNothing() async throws {
    try await withServer { server in
      for half in ["", "{\"message\":\"ha", "{\"message\":\"a\"}\n{\"mes"] {
        let client = try server.client()
        try await client.send(ConnectionTests.post + "Content-Length: 1000\r\n\r\n" + half)
        client.finishSending()
        _ = try await client.readToEnd()
      }
      #expect(server.store.rowCount == 0)
      #expect(server.metrics.uploads.usedBytes == 0)
    }
  }

  @Test func slowUploadsAndIdleConnectionsEnd() async throws {
    var limits = HTTPLimits()
    limits.requestSeconds = 1
    limits.idleSeconds = 1
    try await withServer(limits: limits) { server in
      let slow = try server.client()
      try await slow.send(ConnectionTests.post + "Content-Length: 1000\r\n\r\n{")
      #expect(try await slow.readAnswer().status == 408)
      #expect(try await slow.readToEnd().isEmpty)
      let idle = try server.client()
      #expect(try await idle.readToEnd().isEmpty)
    }
  }

  @Test func streamedAnswersAreWholeOrCut() async throws {
    let piece = [UInt8](repeating: 65, count: 50_000)
    try await withServer(queries: FakeQueries(pieces: [piece, piece, piece])) { server in
      let client = try server.client()
      let answer = try await client.request("POST", "/v1/query", body: "{}")
      #expect(answer.status == 200)
      #expect(answer.isComplete)
      #expect(answer.body.count == 150_000)
      #expect(answer.headers["transfer-encoding"] == "chunked")
      #expect(try await client.request("GET", "/healthz").status == 200, "the connection goes on")
    }
    try await withServer(queries: FakeQueries(pieces: [piece, piece, nil])) { server in
      let answer = try await server.client().request("POST", "/v1/query", body: "{}")
      #expect(answer.status == 200)
      #expect(!answer.isComplete, "no terminating chunk after a failure")
    }
    try await withServer(queries: FakeQueries(pieces: [piece, nil])) { server in
      let answer = try await server.client().request("POST", "/v1/query", body: "{}")
      #expect(answer.status == 500, "nothing was sent yet, so the failure gets its status")
      #expect(!answer.text.contains("/secret/path"))
    }
  }

  @Test func theLastAnswerIsWholeHoweverSlowlyItIsTaken() async throws {
    // More than both sides' buffers hold.
    let piece = [UInt8](repeating: 65, count: 16 << 20)
    try await withServer(queries: FakeQueries(pieces: [piece])) { server in
      let client = try server.client()
      let answer = try await client.request(
        "POST", "/v1/query", headers: [("Connection", "close")], body: "{}")
      #expect(answer.headers["content-length"] == String(piece.count))
      #expect(answer.isComplete)
      #expect(try await client.readToEnd().isEmpty)
    }
  }

  @Test func aClientThatStopsReadingIsCut() async throws {
    var limits = HTTPLimits()
    limits.stallSeconds = 1
    let piece = [UInt8](repeating: 65, count: 4 << 20)
    try await withServer(limits: limits, queries: FakeQueries(pieces: .init(repeating: piece, count: 16))) {
      server in
      let stalled = try server.client(receiveBytes: 4096)
      try await stalled.send("POST /v1/query HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
      let other = try server.client()
      var open = 2
      while open > 1 {
        let text = try await other.request("GET", "/metrics").text
        open =
          text.split(separator: "\n").first { $0.hasPrefix("cordwood_connections ") }
          .flatMap { Int($0.split(separator: " ")[1]) } ?? 0
      }
      #expect(open == 1)
      // What the kernel still has is not read: a few KB at a time, that takes a minute.
      withExtendedLifetime(stalled) {}
    }
  }

  @Test func tooManyConnectionsAreTurnedAway() async throws {
    // Beside other tests minutes may pass, in which no connection may be closed for idling.
    var limits = HTTPLimits.patient
    limits.connectionCountMax = 2
    try await withServer(limits: limits) { server in
      let clients = [try server.client(), try server.client()]
      for client in clients { #expect(try await client.request("GET", "/healthz").status == 200) }
      let third = try server.client()
      #expect(try await third.readAnswer().status == 503)
      #expect(try await clients[0].request("GET", "/healthz").status == 200)
    }
  }

  @Test func stoppingFinishesRequestsAndClosesIdleConnections() async throws {
    let server = try await TestServer()
    let idle = try server.client()
    #expect(try await idle.request("GET", "/healthz").status == 200)
    let busy = try server.client()
    try await busy.send(ConnectionTests.post + "Content-Length: 15\r\n\r\n{\"mess")
    while server.metrics.uploads.usedBytes == 0 { await Task.yield() }
    async let stopped: Void = server.stop()
    #expect(try await idle.readToEnd().isEmpty)
    try await busy.send("age\":\"a\"}")
    let answer = try await busy.readAnswer()
    #expect(answer.status == 201)
    #expect(answer.headers["connection"] == "close")
    #expect(try await busy.readToEnd().isEmpty)
    await stopped
    #expect(throws: (any Error).self) { try server.client() }
  }

  @Test func oldClientsGetWhatTheyUnderstand() async throws {
    try await withServer(queries: FakeQueries(pieces: [[65], [66], [67]])) { server in
      let client = try server.client()
      try await client.send("POST /v1/query HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
      let text = String(decoding: try await client.readToEnd(), as: UTF8.self)
      #expect(text.hasPrefix("HTTP/1.0 200 OK\r\n"))
      #expect(text.hasSuffix("\r\n\r\nABC"))
      #expect(!text.lowercased().contains("chunked"))
    }
  }
}
