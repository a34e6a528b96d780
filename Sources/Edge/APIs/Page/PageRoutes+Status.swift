import Access
import Codecs
import Platform
import Records
import Routing

/// How the server is, and whether a record of the query log is what was stored.
extension PageRoutes {
  var statusRoutes: [Route] {
    [
      Route(.get, "/ui/v1/status", "How the server is; more of it for administrators", .answer(status))
        .taking(PageCallers.fields[0]),
      Route(
        .get, "/ui/v1/verify", "Whether a record of the query log is what was stored", .answer(verify)
      )
      .taking(.query("id", JSONSchema.text, "The record's id"), PageCallers.fields[0])
      .failing(with: 404),
    ]
  }

  private func status(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let tellsAll = try callers.caller(call.head).isAdministrator
    let checks = await parts.readiness.run()
    var usage: [PartitionUsage] = []
    if tellsAll {
      do throws(StoreError) { usage = try await services.control.usage() } catch { throw Problem(error) }
    }
    let uptime = max(0, (services.clock.now() - startedAt) / 1_000_000_000)
    return HTTPAnswer.object { text in
      text.member("version", parts.version)
      text.name("uptime_seconds")
      text.value(uptime)
      text.member("ready", checks.allSatisfy(\.isHealthy))
      if tellsAll { write(usage, checks, to: &text) }
      text.name("checks")
      text.list(checks) { text, check in
        text.member("name", check.name)
        text.member("ok", check.isHealthy)
        if tellsAll { text.member("detail", check.message) }
      }
    }.ofPage
  }

  private func write(_ usage: [PartitionUsage], _ checks: [ReadinessCheck], to text: inout JSONWriter) {
    text.name("disk")
    if let disk = PageRoutes.disk(checks) {
      text.beginObject()
      text.name("free_bytes")
      text.value(disk.free)
      text.name("used_bytes")
      text.value(disk.used)
      text.endObject()
    } else {
      text.null()
    }
    text.name("head")
    text.beginObject()
    text.member("rows", usage.reduce(0) { $0 + $1.headRows })
    text.member("bytes", usage.reduce(0) { $0 + $1.headBytes })
    text.endObject()
    text.member("blocks", usage.reduce(0) { $0 + $1.blockCount })
    text.name("retention")
    text.beginObject()
    for (dataset, seconds) in parts.retentionSeconds.sorted(by: { $0.key.name < $1.key.name }) {
      text.name(text: "\(dataset.name)_seconds")
      text.value(seconds)
    }
    text.endObject()
    text.name("forwarding")
    if parts.forwarding.isConfigured {
      text.beginObject()
      text.member("running", parts.forwarding.isRunning)
      text.endObject()
    } else {
      text.null()
    }
  }

  /// What the check of the disk found; nil: nothing.
  private static func disk(_ checks: [ReadinessCheck]) -> (free: Int64, used: Int64)? {
    guard let check = checks.first(where: { $0.name.hasBytes(of: "disk") }),
      // Ours, and an object without figures where the disk could not be asked.
      let tree = try? JSONTree(parsing: check.details), case .int64(let free)? = tree["free_bytes"],
      case .int64(let used)? = tree["used_bytes"]
    else { return nil }
    return (free, used)
  }

  /// Whichever tenant is looked at: records of the query log are one tenant's.
  private func verify(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    guard let id = call.query["id"] else { throw Problem(400, "id: the record's", field: "id") }
    let caller = try callers.caller(call.head)
    guard let own = access.rights.principal(of: caller, for: QuerySessions.tenant), own.allows(.read) else {
      throw Problem(404, "Log entry not found")
    }
    let standing: QueryVerification.Standing?
    do throws(StoreError) { standing = try await queryLog.verification.standing(of: id, own.filter) } catch {
      throw Problem(error)
    }
    guard let standing else { throw Problem(404, "Log entry not found") }
    var record: [UInt8]?
    if standing != .damaged { record = try await queryLog.listing.record(named: id, own) }
    return HTTPAnswer.object { text in
      text.member("status", standing.rawValue)
      if let record {
        text.name("record")
        text.raw(record)
      }
    }.ofPage
  }
}
