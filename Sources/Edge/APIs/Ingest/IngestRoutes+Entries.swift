import Access
import Codecs
import Decoding
import EntryDecoding
import Platform
import Records
import Routing

/// Taking entries.
extension IngestRoutes {
  /// Told apart from bodies of other routes under one idempotency key.
  private static let salt: UInt64 = 5
  private static let retrySeconds = 30

  func ingest(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    // A body of another type is text, and no entries.
    guard call.head.isJSON else { throw refused(principal, JSONForm.notAnObject) }
    return try await store.withBody(of: call) { body throws(Problem) -> HTTPAnswer in
      let decoded: IngestBatch
      let decoder = decoder
      do throws(Problem) {
        decoded = try await store.decoding(body) { body, memory throws(Problem) in
          do throws(ValidationFailure) {
            return try decoder.decode(body, for: principal.tenant, within: memory)
          } catch {
            throw Problem(error)
          }
        }
      } catch {
        throw refused(principal, error)
      }
      let count = decoded.entryCount
      if let refusal = pressure.refusal(for: principal.tenant, adding: body.count) {
        if refusal.isFirst { record(refusal, principal, call) }
        throw refused(principal, refusal.problem, entryCount: count)
      }
      let key = try key(of: call, decoded)
      let requestID = UUIDv4.text((entropy.randomUInt64(), entropy.randomUInt64()))
      let write = RecordWrite(
        decoded.records, .logs, bodyBytes: body.count, salt: IngestRoutes.salt,
        kept: Array(requestID.utf8))
      do throws(Problem) {
        return try await store.store(write, key: key, of: call, for: principal) { receipt in
          if receipt.isReplay {
            return IngestResponses.accepted(
              receipt.rowCount, requestID: String(decoding: receipt.answer, as: UTF8.self),
              now: receipt.ingestedAt)
          }
          forwarding.accepted(principal.tenant, positions: receipt.positions, bytes: body.count)
          metrics.accepted(principal.tenant, decoded, bodyBytes: body.count)
          return IngestResponses.accepted(count, requestID: requestID, now: receipt.ingestedAt)
        }
      } catch {
        throw refused(principal, error, entryCount: count)
      }
    }
  }

  /// Counts a refusal, and makes sure that who has to wait is told for how long.
  func refused(_ principal: Principal, _ problem: Problem, entryCount: Int = 1) -> Problem {
    var problem = problem
    let reason: IngestMetrics.Reason
    switch (problem.status, problem.code) {
    case (_, "rate_limit_exceeded"): reason = .rateLimit
    case (_, "quota_exceeded"): reason = .quota
    case (429, _): reason = .rateLimit
    case (507, _): reason = .noSpace
    case (500..., _): reason = .unavailable
    default: reason = .validation
    }
    if [503, 507].contains(problem.status), problem.retryAfterSeconds == nil {
      problem.retryAfterSeconds = IngestRoutes.retrySeconds
    }
    if problem.status == 429, problem.code == nil { problem.code = "rate_limit_exceeded" }
    metrics.rejected(principal.tenant, reason, count: entryCount)
    return problem
  }

  private func record(_ refusal: IngestPressure.Refusal, _ principal: Principal, _ call: HTTPCall) {
    var event = AccessEvent(
      refusal.event, .refused(refusal.problem.field ?? "rate"), realm: .ingest, subject: principal.subject,
      route: call.route, method: call.head.method.rawValue, address: call.address,
      requestID: call.id)
    event.tenant = principal.tenant
    log.record(event)
  }

  /// A header's key wins over the body's.
  private func key(of call: HTTPCall, _ body: IngestBatch) throws(Problem) -> String? {
    do throws(Problem) {
      if let key = try RecordStoring.key(of: call) { return key }
      if let key = try RecordStoring.key(of: call, field: "X-Idempotency-Key") { return key }
    } catch {
      var problem = error
      problem.code = "validation_error"
      throw problem
    }
    guard let key = body.idempotencyKey, !key.isEmpty else { return nil }
    if key.utf8.count <= RecordStoring.keyBytesMax { return key }
    // 128 characters may be more bytes than a key has: their hash stands for them.
    let bytes = Array(key.utf8)
    let parts = [UInt64(1), 2].map { String(Hash64.xxh64(bytes, seed: $0), radix: 16) }
    return "long:" + parts.joined(separator: "-")
  }
}
