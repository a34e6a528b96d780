import Access
import Codecs
import Decoding
import EntryDecoding
import Masking
import Platform
import Records
import Routing
import Shaping

/// Logs as Datadog's agent and others send them to Datadog (Docs/datadog.md). They become records of the
/// dataset `logs`, of the key's tenant.
package struct DatadogRoutes: Sendable {
  private let callers: NativeCallers
  private let writing: PushWriting
  private let clock: any WallClock
  private let logs: Replaceable<DatadogLogs>
  private let bodyBytesMax: Int

  fileprivate static let keyField = "DD-API-KEY"
  fileprivate static let keyParameter = "dd-api-key"

  /// - Parameter directory: Whose keys open it.
  package init(_ services: APIServices, directory: KeyDirectory) {
    callers = NativeCallers(directory, log: services.log)
    writing = PushWriting(store: services.store, way: "datadog", salt: 0x6461_7461)
    clock = services.clock
    logs = Replaceable(DatadogLogs(limits: services.decodingLimits))
    bodyBytesMax = services.limits.bodyBytesMax
  }

  package var api: API {
    var api = API("datadog", errors: .datadog) { [callers] head, origin, route throws(Problem) in
      try callers.authenticate(head, origin, route, as: .datadog)
    }
    api.realm = NativeRoutes.realm
    api.datasets = [.logs]
    api.credentials = [NativeRoutes.key]
    api.prefixes = ["/api/v2/logs", "/v1/input"]
    api.masking = { [logs] plan in logs.replace(with: logs.value.masked(by: plan(.logs))) }
    api.routes = [
      write("/api/v2/logs", answering: 202), write("/v1/input", answering: 200),
      Route(
        .get, "/api/v1/validate", "Whether a key is one, as Datadog's clients ask",
        .answer { _, _ throws(Problem) in .object { $0.member("valid", true) } }
      ).taking(DatadogRoutes.key),
    ]
    return api
  }

  private static let key = RouteParameter.query(
    keyParameter, JSONSchema.text, "The key, where it is in no header field")

  /// - Parameter status: Of success: that of the first version is another.
  private func write(_ path: PathPattern, answering status: Int) -> Route {
    Route(
      .post, path, "Stores logs as Datadog's clients send them",
      .store { call, principal throws(Problem) in try await store(call, principal, status: status) }
    )
    .needing(.write).idempotent.answering(status).failing(with: 413)
    .taking(
      .json(
        JSONSchema.array(JSONSchema.object([("message", "{}")], isOpen: true)), DatadogRoutes.example,
        bytesMax: bodyBytesMax
      ).compressible
    )
    .taking(
      DatadogRoutes.key, .query("ddsource", JSONSchema.text, "Of logs that name none"),
      .query("ddtags", JSONSchema.text, "Beside those of the logs: env:prod,team:shop"),
      .query("hostname", JSONSchema.text, "Of logs that name none"),
      .query("service", JSONSchema.text, "Of logs that name none")
    )
    .taking(MappedFields.parameters)
  }

  private static let example =
    #"[{"ddsource":"nginx","ddtags":"env:prod,team:shop","hostname":"web-1","service":"shop","#
    + #""status":"error","timestamp":1764504000250,"message":"order 4711 failed"}]"#

  private func store(
    _ call: HTTPCall, _ principal: Principal, status: Int
  ) async throws(Problem) -> HTTPAnswer {
    let mapping = try MappedFields.mapping(call.query)
    let (logs, now) = (logs.value.mapped(by: mapping), clock.now())
    var origin = DatadogLogs.Origin()
    origin.source = call.query["ddsource"]
    origin.tags = call.query["ddtags"]
    origin.host = call.query["hostname"]
    origin.service = call.query["service"]
    let (given, place) = (origin, "\(origin) \(status) \(mapping.text)")
    return try await writing.write(call, for: principal) { body, memory throws(Problem) in
      do throws(PushFault) {
        let decoded = try logs.decode(body, given, now: now, within: memory)
        let records = decoded.records
        let figures = PushFigures(
          refused: records.refusedCount, timesUnread: decoded.timesUnreadCount, textBytes: records.textBytes)
        // Fluent Bit sends again whatever is refused: what was good in it is stored once.
        return Push(
          records.batch, (), figures, kept: DatadogRoutes.refusal(of: records),
          key: records.refusedCount == 0 ? nil : PushWriting.key("_datadog", of: body, place))
      } catch { throw Problem(error, empty: Problem(400, "The body is empty.")) }
    } answer: { push, _ in
      push.kept.isEmpty ? .json(HTTPStatus(status), Array("{}".utf8)) : .json(HTTPStatus(400), push.kept)
    }
  }

  /// The answer that says what was left out; empty: nothing was.
  private static func refusal(of records: PushedRecords) -> [UInt8] {
    guard let first = records.refusals.first else { return [] }
    let stored = records.batch?.rowCount ?? 0
    return Problem(
      400,
      "\(stored) logs stored, \(records.refusedCount) refused; "
        + "the first is log \(first.record): \(first.reason)"
    ).datadog.body
  }
}

extension KeyForm {
  /// `DD-API-KEY`, `?dd-api-key=`, and as ``pairs``.
  fileprivate static let datadog = KeyForm(
    problem: { error in
      switch error {
      case .missing: Problem(401, "This needs an API key: \(DatadogRoutes.keyField): KEY.")
      case .malformed, .unknown: Problem(403, "The API key is not known.")
      }
    },
    authorization: { head in
      let sent = head.headers.first(name: DatadogRoutes.keyField) ?? head.query[DatadogRoutes.keyParameter]
      return sent.map { "Bearer " + $0 } ?? KeyForm.pair(of: head)
    })
}

extension ErrorFormat {
  /// `{"errors":[{"status","title","detail"}]}`.
  package static let datadog = ErrorFormat(notFound: "Not found") { problem, _ in problem.datadog }
}

extension Problem {
  fileprivate var datadog: HTTPAnswer {
    answer { text in
      text.name("errors")
      text.list([self]) { text, problem in
        text.member("status", "\(problem.status)")
        text.member("title", problem.title)
        text.member("detail", problem.detail)
      }
    }
  }
}
