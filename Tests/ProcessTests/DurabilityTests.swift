import Foundation
import Testing

/// What is acknowledged is on disk: each operation of the OpenAPI document that is no question is sent to a
/// server whose system calls are traced. Whatever it wrote is synced before the first byte of its answer. New
/// routes are found in the document.
@Suite(.serialized) struct DurabilityTests {
  /// Nothing was there to do.
  static let idle: Set<String> = [
    "POST /v1/admin/deadletters/replay", "POST /v1/admin/deadletters/drop", "POST /v1/admin/flush",
    "POST /ui/v1/admin/flush",
    // Kept in memory, for a minute.
    "POST /ui/v1/downloads",
  ]
  /// The same as those of other APIs, which have made or ended what these would.
  static let borrowed: Set<String> = [
    "POST /ui/v1/users", "POST /ui/v1/keys", "DELETE /ui/v1/keys/{realm}/{name}",
    "POST /ui/v1/admin/deadletters/replay", "POST /ui/v1/admin/deadletters/drop",
  ]

  let folder: TemporaryFolder
  let trace: String

  init() throws {
    folder = try TemporaryFolder()
    trace = folder.path + "/trace"
  }

  @Test(.enabled(if: SyscallTrace.isPossible, "strace may not trace here"))
  func everyAcknowledgementComesBehindItsSync() throws {
    let data = folder.path + "/data"
    let file = folder.path + "/ingest.yaml"
    try IngestClient.file().write(toFile: file, atomically: true, encoding: .utf8)
    let server = try ServerProcess(
      data: data, arguments: ["--config", file, "--set", "archive.max_age_seconds=86400"],
      launcher: SyscallTrace.launcher(into: trace))
    let operations = try DocumentedOperation.all(of: server).filter {
      !$0.isRead && !DurabilityTests.borrowed.contains($0.name)
    }
    #expect(operations.count > 15, "the document was read")
    let asked = try Asker(server).ask(operations)
    #expect(server.stop() == 0)
    let found = SyscallTrace(try readTrace(), folder: data)
    for operation in operations {
      let good = asked.filter { $0.operation == operation.name && $0.status < 300 }
      #expect(
        !good.isEmpty,
        "nobody got a good answer of \(operation.name): \(asked.filter { $0.operation == operation.name })")
      let answers = try good.map { try #require(found.answers[$0.id], "\($0) is not in the trace") }
      for (asked, answer) in zip(good, answers) {
        #expect(answer.unsynced.isEmpty, "\(asked) was answered before its sync")
      }
      if DurabilityTests.idle.contains(operation.name) { continue }
      #expect(answers.contains { !$0.synced.isEmpty }, "\(operation.name) wrote nothing")
    }
  }

  /// The whole trace: the tracer writes its last line after the server has ended.
  private func readTrace() throws -> String {
    let deadline = Date().addingTimeInterval(60)
    while Date() < deadline {
      let text = try String(contentsOfFile: trace, encoding: .utf8)
      if text.contains("+++ exited with ") { return text }
      Thread.sleep(forTimeInterval: 0.01)
    }
    throw WireError.malformed("the tracer did not end")
  }
}

extension DurabilityTests {
  struct Asked: CustomStringConvertible {
    let operation: String
    let id: String
    let status: Int
    let request: String
    var description: String { "\(request): \(status)" }
  }

  /// Sends operations with everybody's credentials, one after the other.
  private final class Asker {
    private let server: ServerProcess
    private let callers: [IsolatedCaller]
    private let administrator: SessionsClient
    private var asked: [Asked] = []

    init(_ server: ServerProcess) throws {
      self.server = server
      let administrator = try SessionsClient(port: server.port)
      self.administrator = administrator
      callers = try IsolatedCaller.Kind.allCases.map { kind in
        try IsolatedCaller(kind, 0, server: server, administrator: administrator)
      }
      for caller in callers { try caller.seed() }
    }

    /// What makes comes before what ends it, and credentials end last.
    func ask(_ operations: [DocumentedOperation]) throws -> [Asked] {
      for operation in operations.sorted(by: { Asker.rank($0) < Asker.rank($1) }) {
        for caller in callers {
          for request in operation.requests(for: caller, onlyPlain: false) {
            try send(request, operation, caller.headers)
            try caller.renew()
          }
        }
        for request in operation.requests(for: callers[0], onlyPlain: true) {
          try sendAsOthers(request, operation)
        }
        guard operation.kinds.contains(.page), let page = callers.first(where: { $0.kind == .page }) else {
          continue
        }
        for request in operation.requests(for: page, onlyPlain: true) {
          try send(request, operation, try IsolatedCaller.page(server, "admin", "admin"))
        }
      }
      return asked
    }

    private static func rank(_ operation: DocumentedOperation) -> Int {
      switch (operation.method, operation.path) {
      case ("POST", "/api/users/me/password"): 3
      case ("DELETE", "/api/keys/{realm}/{name}"): 2
      case ("DELETE", _), (_, "/v1/delete"): 1
      default: 0
      }
    }

    private func sendAsOthers(
      _ request: DocumentedOperation.Request, _ operation: DocumentedOperation
    ) throws {
      try send(request, operation, ["Authorization": "Bearer \(IngestClient.admin)"])
      try send(request, operation, ["Authorization": "Bearer \(IngestClient.payments)"])
      try send(request, operation, [:])
      if operation.path.hasPrefix("/api/auth/") { return }
      try send(request, operation, ["Authorization": "Bearer \(administrator.token)"])
      let login = try server.request(
        "POST", "/api/v1/login", headers: ["Content-Type": "application/json"],
        body: #"{"user_id":"asker","password":"whatever"}"#)
      if let token = try? login.object()["access_token"] as? String {
        try send(request, operation, ["Authorization": "Bearer \(token)"])
      }
    }

    private func send(
      _ request: DocumentedOperation.Request, _ operation: DocumentedOperation, _ headers: [String: String]
    ) throws {
      let id = "asked-\(asked.count)"
      let all = request.headers.merging(headers) { $1 }.merging(["X-Request-Id": id]) { $1 }
      let answer = try server.request(request.method, request.target, headers: all, body: request.body)
      asked.append(
        Asked(operation: operation.name, id: id, status: answer.status, request: "\(request)"))
    }
  }
}
