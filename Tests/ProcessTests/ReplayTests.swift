import Foundation
import Testing

/// The repeat of a request is answered as the first was: on each operation of the OpenAPI document that takes
/// an `Idempotency-Key`, found there and not named here.
@Suite(.serialized) struct ReplayTests {
  private struct Credential {
    let name: String
    let headers: [String: String]
    let caller: IsolatedCaller
  }

  @Test func everyRepeatGetsTheFirstAnswer() throws {
    let folder = try TemporaryFolder()
    let file = folder.path + "/ingest.yaml"
    try IngestClient.file().write(toFile: file, atomically: true, encoding: .utf8)
    let server = try ServerProcess(data: folder.path + "/data", arguments: ["--config", file])
    let operations = try DocumentedOperation.all(of: server).filter(\.isIdempotent)
    #expect(operations.count >= 7, "the document was read")
    let credentials = try credentials(of: server)
    for operation in operations {
      var goodCount = 0
      for credential in credentials {
        for request in operation.requests(for: credential.caller, onlyPlain: true) {
          goodCount += try repeats(request, credential, at: server) ? 1 : 0
        }
      }
      #expect(goodCount > 0, "nobody was let in to \(operation.name)")
    }
    #expect(server.stop() == 0)
  }

  /// Sends the request twice under one key, and another of the kind; whether it was answered well.
  private func repeats(
    _ request: DocumentedOperation.Request, _ credential: Credential, at server: ServerProcess
  ) throws -> Bool {
    func send(_ key: String) throws -> HTTPAnswer {
      try server.request(
        request.method, request.target,
        headers: request.headers.merging(credential.headers) { $1 }.merging(["Idempotency-Key": key]) { $1 },
        body: request.body)
    }
    let key = UUID().uuidString
    let first = try send(key)
    guard first.status < 300 else { return false }
    let second = try send(key)
    let what = "\(request) by \(credential.name)"
    #expect(
      second.status == first.status && second.text == first.text, "\(what): \(first.text) \(second.text)")
    #expect(first.headers["idempotency-replayed"] == nil, "\(what)")
    #expect(second.headers["idempotency-replayed"] == "true", "\(what)")
    let other = try send(UUID().uuidString)
    #expect(other.headers["idempotency-replayed"] == nil, "\(what)")
    return true
  }

  /// Of each kind that opens something.
  private func credentials(of server: ServerProcess) throws -> [Credential] {
    let administrator = try SessionsClient(port: server.port)
    var all = try IsolatedCaller.Kind.allCases.map { kind in
      let caller = try IsolatedCaller(kind, 0, server: server, administrator: administrator)
      try caller.seed()
      return Credential(name: caller.name, headers: caller.headers, caller: caller)
    }
    let login = try server.request(
      "POST", "/api/v1/login", headers: ["Content-Type": "application/json"],
      body: #"{"user_id":"admin","password":"admin"}"#)
    let token = try #require(try login.object()["access_token"] as? String, "\(login.text)")
    for (name, token) in [("query log", token), ("ingest", IngestClient.payments)] {
      all.append(Credential(name: name, headers: ["Authorization": "Bearer \(token)"], caller: all[0].caller))
    }
    return all
  }
}
