import Foundation
import Testing

/// Nobody sees, counts, changes or tells apart what is another's: asked of every operation of the OpenAPI
/// document, so that a new route is asked as well, by three tenants of each kind of credential and by nobody.
@Suite(.serialized) struct IsolationTests {
  /// For administrators of the users, or about the caller's own password: no caller here gets a good answer.
  static let administrative: Set<String> = [
    "GET /api/users", "POST /api/users", "POST /api/users/me/password", "GET /api/keys", "POST /api/keys",
    "DELETE /api/keys/{realm}/{name}", "GET /ui/v1/users", "POST /ui/v1/users", "GET /ui/v1/keys",
    "POST /ui/v1/keys", "DELETE /ui/v1/keys/{realm}/{name}", "GET /ui/v1/grants", "PUT /ui/v1/grants/{user}",
    "POST /ui/v1/admin/masking:test", "GET /ui/v1/admin/deadletters",
    "POST /ui/v1/admin/deadletters/replay", "POST /ui/v1/admin/deadletters/drop",
    // Of a tenant that nobody here was granted, and of what is there once.
    "GET /ui/v1/verify", "GET /ui/v1/downloads/{token}",
  ]
  /// About the server, or the directory of tenants that administrators share: may differ, but says nothing of
  /// records.
  static let shared: Set<String> = [
    "GET /", "GET /metrics", "GET /healthz", "GET /readyz", "GET /api/v1/tenants",
    "GET /ui/v1/status", "GET /ui/v1/signin",
  ]

  let folder: TemporaryFolder
  let server: ServerProcess
  let operations: [DocumentedOperation]
  let callers: [IsolatedCaller]
  private let varying: NSRegularExpression
  private let documents = Documents()

  /// Long answers in which nobody's words are, such as documents: looked at once.
  private final class Documents {
    static let bytesMin = 16 << 10
    var seen: Set<String> = []
  }

  init() throws {
    varying = try NSRegularExpression(
      pattern: [
        #""request_id":"[^"]*""#, #""lastRefreshTime":"[^"]*""#, #""files_scanned":\d+"#,
        #""(rows_looked_at|rows_known|blocks|pages_left_out|bytes_looked_at)":\d+"#, #""ms":[0-9.e+-]+"#,
        #"time from \d+"#,
      ].joined(separator: "|"))
    folder = try TemporaryFolder()
    // Plans tell where the rows lie, so they are archived when the test says so and not in the middle of a
    // comparison.
    server = try ServerProcess(
      data: folder.path + "/data", arguments: ["--set", "archive.max_age_seconds=86400"])
    operations = try DocumentedOperation.all(of: server)
    let admin = try SessionsClient(port: server.port)
    // By index first: the callers of all kinds with index 0 have asked before any with index 1 has written.
    let server = server
    callers = try (0..<3).flatMap { index in
      try IsolatedCaller.Kind.allCases.map { kind in
        try IsolatedCaller(kind, index, server: server, administrator: admin)
      }
    }
  }

  @Test func nobodySeesCountsOrTellsApartWhatIsAnothers() throws {
    #expect(operations.count > 30, "the document was read")
    var before: [[String: String]] = []
    for caller in callers {
      try caller.seed()
      before.append(try answers(for: caller))
    }
    for (caller, before) in zip(callers, before) {
      let after = try answers(for: caller)
      #expect(Set(before.keys) == Set(after.keys))
      for (request, answer) in before where after[request] != answer {
        Issue.record(
          "\(caller.name): \(request) changed when others wrote: \(answer) -> \(after[request] ?? "")")
      }
    }
    // From blocks, where the rows of several callers lie side by side, as from the head.
    try server.archive(as: callers[0].headers)
    for caller in callers { _ = try answers(for: caller) }
    for caller in callers { try expectOthersToBeUnknown(to: caller) }
    try expectNothingWithoutCredential()
    try expectOthersToBeUntouched()
    expectEveryOperationToHaveSucceeded()
    #expect(server.stop() == 0)
    try Program.expectSound(folder.path + "/data", in: folder)
  }

  // MARK: Questions

  /// All reads with all documented variations, each with the caller's credential in both places: what it was
  /// told.
  private func answers(for caller: IsolatedCaller, onlyPlain: Bool = false) throws -> [String: String] {
    var found: [String: String] = [:]
    for operation in operations where operation.isRead {
      for request in operation.requests(for: caller, onlyPlain: onlyPlain) {
        for headers in onlyPlain ? [caller.headers] : caller.allHeaders {
          let answer = try ask(request, operation, as: caller, headers: headers)
          if IsolationTests.shared.contains(operation.name) { continue }
          found["\(request.method) \(request.target) \(request.body) \(headers.keys.sorted())"] = answer.text
        }
      }
    }
    return found
  }

  /// What a caller is told, without what differs from one request to the next. No answer has another's words.
  @discardableResult private func ask(
    _ request: DocumentedOperation.Request, _ operation: DocumentedOperation, as caller: IsolatedCaller,
    headers: [String: String], hiding: [String] = []
  ) throws -> (status: Int, text: String) {
    let answer = try HTTPConnection(port: server.port).request(
      request.method, request.target, headers: headers.merging(request.headers) { $1 },
      body: Array(request.body.utf8))
    #expect(answer.isComplete && answer.status < 500, "\(request) \(answer.status)")
    // 426: let in; what goes on as a WebSocket has suites of its own.
    if answer.status < 300 || answer.status == 426 { caller.succeeded.insert(operation.name) }
    var text = "\(answer.status) " + answer.text
    if documents.seen.contains(text) { return (answer.status, text) }
    for word in hiding { text = text.replacingOccurrences(of: word, with: "HIDDEN") }
    let all = NSRange(location: 0, length: (text as NSString).length)
    text = varying.stringByReplacingMatches(in: text, range: all, withTemplate: "VARIES")
    var isOfNobody = true
    for one in callers {
      for word in [one.canary] + one.ids where IsolationTests.has(text, word) {
        isOfNobody = false
        if one !== caller { Issue.record("\(caller.name) \(request) was told of \(one.name): \(word)") }
      }
    }
    if text.utf8.count > Documents.bytesMin, isOfNobody { documents.seen.insert(text) }
    return (answer.status, text)
  }

  /// By bytes: Foundation's search took most of the test's time.
  private static func has(_ text: String, _ word: String) -> Bool { strstr(text, word) != nil }

  /// A refusal tells nothing: of each kind that an operation is for somebody was let in.
  private func expectEveryOperationToHaveSucceeded() {
    for operation in operations where !IsolationTests.administrative.contains(operation.name) {
      for kind in operation.kinds {
        let isAnswered = callers.contains { $0.kind == kind && $0.succeeded.contains(operation.name) }
        #expect(isAnswered, "nobody with a credential of the kind \(kind) got an answer of \(operation.name)")
      }
    }
  }

  /// Another's ids and words in every parameter: the answer is the one for ids that nobody has. The others
  /// are one of each kind; for an operation that does not let the caller in, one of its own.
  private func expectOthersToBeUnknown(to caller: IsolatedCaller) throws {
    let others = callers.filter { $0.index == (caller.index + 1) % 3 }
    for operation in operations {
      let isLetIn = operation.kinds.isEmpty || operation.kinds.contains(caller.kind)
      for other in others where isLetIn || other.kind == caller.kind {
        for pair in operation.pairs(caller, other) {
          let theirs = try ask(
            pair.theirs, operation, as: caller, headers: caller.headers, hiding: pair.words)
          let nobodys = try ask(
            pair.nobodys, operation, as: caller, headers: caller.headers, hiding: pair.words)
          #expect(
            theirs == nobodys,
            "\(caller.name) tells \(other.name) from nobody: \(pair.theirs) \(pair.nobodys)")
        }
      }
    }
  }

  private func expectNothingWithoutCredential() throws {
    for operation in operations {
      for caller in callers {
        for request in operation.requests(for: caller, onlyPlain: true) {
          let answer = try server.request(
            request.method, request.target, headers: request.headers, body: request.body)
          if !operation.kinds.isEmpty { #expect(answer.status == 401, "\(request)") }
          #expect(callers.allSatisfy { !answer.text.contains($0.canary) }, "\(request)")
        }
      }
    }
  }

  /// Everything the document has, deletions of all included; then the others are asked what they have.
  private func expectOthersToBeUntouched() throws {
    var known = try callers.map { try answers(for: $0, onlyPlain: true) }
    for caller in callers {
      for operation in operations where !operation.isRead {
        for request in operation.requests(for: caller, onlyPlain: false) {
          try ask(request, operation, as: caller, headers: caller.headers)
          // What ends the token itself must not hide what comes after it.
          try caller.renew()
        }
      }
      for (index, other) in callers.enumerated() {
        let after = try answers(for: other, onlyPlain: true)
        let before = known[index]
        known[index] = after
        for (request, answer) in before where other !== caller && after[request] != answer {
          Issue.record(
            "\(other.name): \(request) changed by \(caller.name): \(answer) -> \(after[request] ?? "")")
        }
      }
    }
  }
}
