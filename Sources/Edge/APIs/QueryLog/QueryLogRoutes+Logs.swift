import Access
import Codecs
import Platform
import Querying
import Records
import Routing

/// Logging in, writing, verifying.
extension QueryLogRoutes {
  func login(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    // A body of another type is text, which is no object.
    guard call.head.isJSON else { throw JSONForm.notAnObject }
    let request = try QueryLoginRequest(call.body)
    var event = AccessEvent(
      .login, .granted, realm: .querylog, subject: sessions.loggedName(request.user),
      route: call.route, method: call.head.method.rawValue, address: call.address,
      requestID: call.id)
    defer { log.record(event) }
    if !sessions.policy.needsPassword { try call.head.checkIsOwners(&event) }
    do throws(AccessError) {
      let login = try await sessions.login(
        user: request.user, password: request.password, address: call.address)
      if !login.isKept { event.outcome = .grantedInMemory }
      return QueryLogResponses.token(login)
    } catch {
      event.outcome = .refused(error.word)
      throw Problem(access: error)
    }
  }

  func write(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    // A body of another type is text, which is no object.
    guard call.head.isJSON else { throw JSONForm.notAnObject }
    // The API's times have microseconds.
    let now = clock.now() / 1_000 * 1_000
    return try await store.withBody(of: call) { body throws(Problem) -> HTTPAnswer in
      // Before the hash: it is of what is stored.
      let masking = masking.value
      let request = try await store.decoding(body) { body, _ throws(Problem) in
        try QueryEntryRequest(body).masked(masking)
      }
      let batch = entry(request, user: principal.subject, at: now)
      let write = RecordWrite(
        batch, .queries, bodyBytes: body.count, salt: 3, kept: KeptTime.bytes(of: now))
      return try await store.store(write, of: call, for: principal) { receipt in
        var stored = batch
        if receipt.isReplay, let first = KeptTime.time(of: receipt.answer) {
          stored = entry(request, user: principal.subject, at: first)
        }
        return HTTPAnswer(.ok, contentType: "application/json", body: listing.objects(of: stored, receipt))
      }
    }
  }

  private func entry(_ request: QueryEntryRequest, user: String, at time: Int64) -> RecordBatch {
    let hash = seal.hash(
      user: Array(user.utf8), query: Array(request.query.utf8), status: Array(request.status.utf8),
      timestamp: QueryLogRoutes.text(of: time))
    let texts = [user, request.query, request.status, hash].map { text in
      var builder = TextBuilder(capacity: 1)
      builder.appendRow(text)
      return builder.finish(type: .utf8)
    }
    return RecordBatch(
      fields: Dataset.queries.schema.declaredFields, columns: [Column(timestamps: [time])] + texts,
      rowCount: 1)
  }

  /// A time as hashes have it.
  private static func text(of time: Int64) -> [UInt8] {
    var writer = JSONWriter(capacity: 40)
    writer.appendMicrosecondTimestamp(time, zone: "+00:00")
    // Without the quotes.
    return writer.takeBytes().dropFirst().dropLast()
  }

  func describeStreams(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    QueryLogResponses.streams(host: call.head.headers.first(name: "Host") ?? "localhost")
  }

  func page(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer { QueryLogResponses.page }

  /// Recomputes the hash from what is stored.
  func verify(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    let text = call.parameters["id"]
    guard let id = UUIDv7.flexible(text) else { throw Problem(404, "Log entry not found") }
    let columns = ["user_id", "query", "status", "hash", "timestamp"]
    let request = QueryRequest(
      dataset: .queries, predicate: .compare(ColumnPath("id"), .equal, .uuid(id)),
      answer: .rows(columns: columns.map { ColumnPath($0) }), limit: 1)
    let batch: RecordBatch?
    do throws(StoreError) {
      batch = try await engine.run(request, for: QuerySessions.tenant).next()
    } catch {
      throw Problem(error)
    }
    guard let batch else { throw Problem(404, "Log entry not found") }
    let texts = batch.columns.prefix(4).map(QueryLogRoutes.firstText)
    let time = batch.columns[4].withInt64 { $0[0] }
    let right = seal.hash(
      user: texts[0], query: texts[1], status: texts[2], timestamp: QueryLogRoutes.text(of: time))
    let isValid = Array(right.utf8) == texts[3]
    let name = UUIDv7.text(id)
    return QueryLogResponses.verification(
      of: text, token: isValid ? seal.token(id: name, hash: texts[3]) : nil)
  }

  private static func firstText(_ column: Column) -> [UInt8] {
    column.plainText().withText { offsets, bytes in
      (Int(offsets[0])..<Int(offsets[1])).map { bytes[$0] }
    }
  }
}
