import Access
import Codecs
import Platform
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
  static func text(of time: Int64) -> [UInt8] {
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
    let found: (id: [UInt8], hash: [UInt8], isRight: Bool)?
    do throws(StoreError) { found = try await verification.hash(of: text) } catch { throw Problem(error) }
    guard let found else { throw Problem(404, "Log entry not found") }
    return QueryLogResponses.verification(
      of: text, token: found.isRight ? seal.token(id: UUIDv7.text(found.id), hash: found.hash) : nil)
  }

  var verification: QueryVerification { QueryVerification(engine: engine, seal: seal) }
}
