import Access
import Decoding
import Records
import Routing

/// What the administrator's token opens.
extension IngestRoutes {
  private static let lettersDefault = 100
  private static let lettersMax = 1_000

  func status(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    IngestResponses.status(isAvailable: forwarding.isConfigured, isHealthy: forwarding.isRunning)
  }

  func replay(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    IngestResponses.count(
      "replayed",
      try await change(call) { forwarding, choice throws(ForwardingFailure) in
        try await forwarding.replay(choice)
      })
  }

  func drop(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    IngestResponses.count(
      "dropped",
      try await change(call) { forwarding, choice throws(ForwardingFailure) in
        try await forwarding.drop(choice)
      })
  }

  func flush(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    guard isFlushEnabled else { throw Problem(403, "Flush is disabled (ingest.flush_enabled)") }
    let request = try FlushRequest(call.body)
    let report = await forwarding.flush(timeoutSeconds: request.timeoutSeconds)
    if request.archives {
      do throws(StoreError) {
        try await control.archive { $0.realm == IngestRoutes.realm }
      } catch { throw Problem(error) }
    }
    if let failure = report.failure {
      var problem = Problem(500, "Flush error: \(failure)")
      problem.code = "forwarder_error"
      throw problem
    }
    return IngestResponses.flushed(report)
  }

  func generate(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    let request = try TokenRequest(call.body)
    guard !keys.hasKey(named: request.name) else { throw exists(request) }
    do throws(AccessError) {
      let token = try await keyStore.create(
        realm: .ingest, name: request.name, tenant: request.name, role: .writer, isActive: request.isActive,
        purpose: request.purpose, text: request.token)
      log.record(
        AccessEvent(
          .keyCreated, .granted, realm: .ingest, subject: "administrator",
          tenant: Tenant(realm: .ingest, name: request.name), route: call.route,
          method: call.head.method.rawValue, address: call.address, requestID: call.id))
      return IngestResponses.generated(token, request)
    } catch {
      if error == .keyExists { throw exists(request) }
      throw Problem(access: error)
    }
  }

  private func exists(_ request: TokenRequest) -> Problem {
    // The name has letters, digits, - and _ only: saying it again is safe.
    Problem(400, "Service name '\(request.name)' already exists")
  }

  func tryMasking(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    let request = try MaskingTrialRequest(call.body)
    guard let trial = decoder.tryMasking(request.entry, for: request.tenant) else {
      throw JSONForm.notAnObject
    }
    return IngestResponses.trial(trial)
  }

  func deadLetters(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    var tenant: Tenant?
    if let name = call.query["token"] {
      guard Tenant.isValid(name: name) else { throw Problem(400, "token: a key's name") }
      tenant = Tenant(realm: .ingest, name: name)
    }
    let limit = try IngestRoutes.number(call.query, "limit", 1...Int64(IngestRoutes.lettersMax))
    let after = try IngestRoutes.number(call.query, "after", 0...Int64.max) ?? 0
    let most = limit.map { Int($0) } ?? IngestRoutes.lettersDefault
    do throws(ForwardingFailure) {
      let letters = try await forwarding.deadLetters(of: tenant, after: after, limit: most)
      return IngestResponses.deadLetters(letters, hasMore: letters.count == most)
    } catch {
      throw Problem(error)
    }
  }

  private static func number(
    _ query: QueryItems, _ name: String, _ range: ClosedRange<Int64>
  ) throws(Problem) -> Int64? {
    guard let text = query[name] else { return nil }
    guard let number = Int64(text), range.contains(number) else {
      throw Problem(400, "\(name): an integer from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  private func change(
    _ call: HTTPCall,
    _ body: (any EntryForwarding, DeadLetterChoice) async throws(ForwardingFailure) -> Int
  ) async throws(Problem) -> Int {
    let request = try DeadLetterRequest(call.body)
    do throws(ForwardingFailure) { return try await body(forwarding, request.choice) } catch {
      throw Problem(error)
    }
  }
}

extension Problem {
  init(_ error: ForwardingFailure) {
    switch error {
    case .storage(let reason):
      self.init(500, "Dead letters cannot be read or changed; see the server's log")
      cause = reason
    case .destination(let reason): self.init(503, reason, retryAfterSeconds: 30)
    }
    code = "forwarder_error"
  }
}
