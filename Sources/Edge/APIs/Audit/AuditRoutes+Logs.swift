import Access
import Codecs
import Decoding
import Encoding
import Platform
import Querying
import Records
import Routing

/// Writing, listing, exporting, cleaning up.
extension AuditRoutes {
  func create(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let decoder = decoder.value
    let user = ["user_id": principal.subject]
    let read: Reading = { (body, now, memory) throws(ValidationFailure) -> RecordBatch? in
      try decoder.decode(entry: body, constants: user, now: now, within: memory)
    }
    return try await store(call, principal, salt: 3, read) { AuditResponses.data($0) }
  }

  func createBulk(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let decoder = decoder.value
    let user = ["user_id": principal.subject]
    let read: Reading = { (body, now, memory) throws(ValidationFailure) -> RecordBatch? in
      try decoder.decode(list: body, constants: user, now: now, within: memory)
    }
    return try await store(call, principal, salt: 4, read) { AuditResponses.data(list: $0) }
  }

  /// What is made of the body with the time of entries that have none; nil: there is no entry.
  private typealias Reading =
    @Sendable ([UInt8], Int64, DecodingMemory) throws(ValidationFailure) -> RecordBatch?

  /// - Parameter answer: Given the entries' objects.
  private func store(
    _ call: HTTPCall, _ principal: Principal, salt: UInt64, _ read: @escaping Reading,
    answer: ([UInt8]) -> HTTPAnswer
  ) async throws(Problem) -> HTTPAnswer {
    try await store.withBody(of: call) { body throws(Problem) -> HTTPAnswer in
      let now = clock.now()
      let batch = try await store.decoding(body) { body, memory throws(Problem) in
        do throws(ValidationFailure) { return try read(body, now, memory) } catch { throw Problem(error) }
      }
      guard let batch else { return answer([]) }
      let write = RecordWrite(
        batch, .audit, bodyBytes: body.count, salt: salt, kept: KeptTime.bytes(of: now))
      return try await store.store(write, of: call, for: principal) { receipt in
        var stored = batch
        if receipt.isReplay, let first = KeptTime.time(of: receipt.answer),
          // It was read a moment ago, and all room for that was free again: only the time is another.
          let again = await store.aside(of: body, { try? read(body, first, .unbounded) })
        {
          stored = again
        }
        return answer(entries(principal).objects(of: stored, receipt))
      }
    }
  }

  func list(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let request = try AuditListRequest(call.query)
    let isPlan = try call.asksForPlan(principal)
    let predicate = Predicate.both(request.filter.predicate, principal.filter)
    do throws(StoreError) {
      if isPlan {
        let queries = listing.queries(
          request.page, predicate, start: request.filter.start, end: request.filter.end)
        return try await engine.plans(of: queries, for: principal.tenant)
      }
      let (objects, total) = try await entries(principal).page(
        request.page, predicate, start: request.filter.start, end: request.filter.end, for: principal.tenant)
      return AuditResponses.list(objects, total: total, request.page)
    } catch {
      throw Problem(error)
    }
  }

  func get(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let object = try await entries(principal).record(named: call.parameters["id"], principal)
    return AuditResponses.data(object)
  }

  func stats(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let request = QueryRequest(
      dataset: .audit, predicate: principal.filter,
      answer: .groups(QueryRequest.GroupedCount(groupBy: [ColumnPath("severity")])),
      limit: QueryRequest.limitMax, isDescending: false)
    let isPlan = try call.asksForPlan(principal)
    do throws(StoreError) {
      if isPlan { return try await engine.plans(of: [request], for: principal.tenant) }
      let answer = try await engine.run(request, for: principal.tenant)
      var counts: [(String, Int)] = []
      while let batch = try await answer.next() {
        counts += LogListing.counts(batch).compactMap { name, count in name.map { ($0, count) } }
      }
      return AuditResponses.stats(counts)
    } catch {
      throw Problem(error)
    }
  }

  func export(
    _ call: HTTPCall, _ principal: Principal, through stream: any AnswerStream
  ) async throws(Problem) -> EndpointOutcome {
    let filter = try AuditFilter(call.query)
    let form = try AnswerForm(wantedBy: call)
    let format = form.format
    let chunks: EncodedAnswer
    do throws(StoreError) {
      let answer = try await engine.run(
        QueryRequest(
          dataset: .audit, predicate: .both(filter.predicate, principal.filter),
          answer: .rows(columns: listing.columns), start: filter.start, end: filter.end,
          limit: QueryRequest.limitMax, isDescending: true), for: principal.tenant)
      chunks = try EncodedAnswer(answer) { () throws(EncodingError) in
        try AuditExportEncoder(tenant: principal.tenant.name, fields: answer.fields) {
          fields throws(EncodingError) in
          let style = AuditRoutes.style("")
          return format == .json
            ? AuditListEncoder(fields: fields, style: style) : try form.encoder(fields: fields, style: style)
        }
      }
    } catch {
      throw Problem(error)
    }
    return try await chunks.send(
      contentType: format.mediaType, isStreamed: true,
      headers: [("Content-Disposition", "attachment; filename=\"audit-logs.\(format.fileEnding)\"")],
      through: stream)
  }

  func cleanup(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    var faults = ValidationFaults()
    let days = PageRequest.number(call.query, "older_than_days", fallback: cleanupDays, 0...100_000, &faults)
    let before = PageRequest.time(call.query, "before", &faults)?.lowerBound
    try faults.refuse()
    // Age is that of arrival, so that entries of old times that came in lately stay; a time is that of the
    // entry.
    let arrived = Predicate.compare(
      ColumnPath("ingested_at"), .less,
      .timestamp(clock.now().subtractingClamped(Int64(days) * 86_400_000_000_000)))
    let written = before.map { Predicate.compare(ColumnPath("timestamp"), .less, .timestamp($0)) }
    // With both, what both allow; a time alone says nothing of the age.
    let old = written.map { call.query["older_than_days"] == nil ? $0 : .both($0, arrived) } ?? arrived
    do throws(StoreError) {
      let count = try await control.delete(
        .both(old, principal.filter), from: Partition(tenant: principal.tenant, dataset: .audit))
      return AuditResponses.deleted(count)
    } catch {
      throw Problem(error)
    }
  }

  func listTenants(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    AuditResponses.tenants(tenants.tenants())
  }

  func createTenant(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let request = try TenantRequest(call.body)
    try await refuseTaken(request.key)
    do throws(AccessError) {
      return AuditResponses.tenant(try await tenants.create(name: request.name, key: request.key))
    } catch {
      throw Problem(audit: error)
    }
  }

  func revokeTokens(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let request = try RevocationRequest(call.body)
    let tenant = request.tenant ?? principal.tenant.name
    guard principal.isOperator || tenant.hasBytes(of: principal.tenant.name) else {
      throw Problem(403, "Only an operator revokes tokens of another tenant")
    }
    do throws(AccessError) {
      if let id = request.id {
        try await tenants.revoke(token: id, of: tenant, hours: credentials.tokenHoursMax)
      } else {
        try await tenants.revoke(before: request.issuedBefore ?? clock.now(), of: tenant)
      }
    } catch {
      throw Problem(audit: error)
    }
    return AuditResponses.revoked
  }

  /// A secret for a tenant that has records, or that another key signs for, would open what is another's.
  private func refuseTaken(_ key: String) async throws(Problem) {
    // By the legacy rule the tenant has its secret already, whether it is made or not.
    guard !tenants.isLegacy, TenantDirectory.isValid(key: key), !tenants.has(key) else { return }
    guard !credentials.isServed(key) else { throw Problem(400, "Another key signs for this tenant") }
    let query = QueryRequest(dataset: .audit, answer: .rows(columns: [ColumnPath("position")]), limit: 1)
    var rowCount = 0
    do throws(StoreError) {
      let answer = try await engine.run(query, for: Tenant(realm: .audit, name: key))
      while let batch = try await answer.next() { rowCount += batch.rowCount }
    } catch {
      throw Problem(error)
    }
    guard rowCount == 0 else { throw Problem(400, "This tenant has records already") }
  }

  /// The listing with the tenant's name behind each entry.
  private func entries(_ principal: Principal) -> LogListing {
    LogListing(
      engine: engine, dataset: .audit, columns: AuditRoutes.columns, names: [:], style: style(of: principal))
  }

  func style(of principal: Principal) -> RecordStyle {
    var writer = JSONWriter(capacity: 64)
    writer.append(raw: ",\"tenant_id\":")
    writer.appendString(principal.tenant.name)
    return AuditRoutes.style(String(decoding: writer.takeBytes(), as: UTF8.self))
  }
}
