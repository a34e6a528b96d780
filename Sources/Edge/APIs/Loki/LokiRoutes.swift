import Access
import Columnar
import Decoding
import EntryDecoding
import Masking
import Records
import Routing

/// The push of Grafana Loki, which Promtail, Alloy, Vector, Fluent Bit and many loggers speak (Docs/loki.md).
/// Entries become records of the dataset `logs`, of the key's tenant.
package struct LokiRoutes: Sendable {
  private let callers: NativeCallers
  private let writing: PushWriting
  private let push: Replaceable<LokiPush>
  private let bodyBytesMax: Int
  /// The header that names a tenant where Loki trusts whoever asks.
  private static let tenantField = "X-Scope-OrgID"

  /// - Parameter directory: Whose keys open it.
  package init(_ services: APIServices, directory: KeyDirectory) {
    callers = NativeCallers(directory, log: services.log)
    writing = PushWriting(store: services.store, way: "loki", salt: 0x6C6F_6B69)
    push = Replaceable(LokiPush(limits: services.decodingLimits))
    bodyBytesMax = services.limits.bodyBytesMax
  }

  package var api: API {
    var api = API("loki", errors: .loki, authenticate: authenticate)
    api.realm = NativeRoutes.realm
    api.datasets = [.logs]
    api.credentials = [NativeRoutes.key]
    api.prefixes = ["/loki/"]
    api.masking = { [push] plan in push.replace(with: push.value.masked(by: plan(.logs))) }
    api.routes = [
      Route(.post, "/loki/api/v1/push", "Stores entries as Grafana Loki's clients push them", .store(push))
        .needing(.write).idempotent
        .taking(
          .json(LokiRoutes.schema, LokiRoutes.example, bytesMax: bodyBytesMax).compressible
        ).answering(204).failing(with: 413, 422, 507),
      Route(.get, "/ready", "Whether a push would be taken, as far as Loki's clients ask", .open(ready)),
    ]
    return api
  }

  private static let schema = JSONSchema.object(
    [
      (
        "streams",
        JSONSchema.array(
          JSONSchema.object(
            [
              ("stream", JSONSchema.object),
              ("values", JSONSchema.array(JSONSchema.array("{}"))),
            ], isOpen: true))
      )
    ], required: ["streams"], isOpen: true)
  private static let example =
    #"{"streams":[{"stream":{"service_name":"shop","level":"error"},"values":[["1764504000000000000","#
    + #""order 4711 failed",{"trace_id":"0af7651916cd43dd"}]]}]}"#

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    if route.isOpen { return nil }
    return try callers.authenticate(head, origin, route, as: .pairs) { principal throws(Problem) in
      guard let name = head.headers.first(name: LokiRoutes.tenantField) else { return }
      guard name.hasBytes(of: principal.tenant.name) else {
        throw Problem(
          403,
          "\(LokiRoutes.tenantField) names another tenant than the key's: the key decides, leave it out."
        )
      }
    }
  }

  private func ready(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    HTTPAnswer(.ok, contentType: "text/plain; charset=utf-8", body: Array("ready\n".utf8))
  }

  private func push(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let isJSON = call.head.mediaType.map { _ in call.head.isJSON } ?? false
    let push = push.value
    if !isJSON, call.head.isPlain, call.body.first == UInt8(ascii: "{") {
      throw Problem(
        400,
        "The body is taken for protobuf in snappy, and looks like JSON: say Content-Type: application/json.")
    }
    // As Loki has it: what is not JSON is protobuf in a snappy block, whether the request says so or not.
    return try await writing.write(call, for: principal, unlessSaid: isJSON ? nil : .snappy) {
      body, memory throws(Problem) in
      do throws(PushFault) {
        let records = try push.decode(body, isJSON ? .json : .protobuf, within: memory)
        return Push(records, kept: LokiRoutes.refusal(of: records))
      } catch {
        throw Problem(error, empty: Problem(422, "at least one valid stream is required for ingestion"))
      }
    } answer: { push, _ in
      LokiRoutes.answer(push.kept)
    }
  }

  /// What the answer says of entries that were left out; empty: none was.
  private static func refusal(of records: PushedRecords) -> [UInt8] {
    guard let first = records.refusals.first else { return [] }
    let stored = records.batch?.rowCount ?? 0
    return Array("\(stored) entries stored, \(records.refusedCount) refused: \(first.reason)".utf8)
  }

  /// Loki answers 400 where it left entries out: its clients log that and do not send the push again.
  private static func answer(_ refusal: [UInt8]) -> HTTPAnswer {
    let text = "text/plain; charset=utf-8"
    return refusal.isEmpty
      ? HTTPAnswer(204, contentType: text, body: []) : HTTPAnswer(400, contentType: text, body: refusal)
  }
}

extension ErrorFormat {
  /// A sentence: Grafana and the shippers show the whole body.
  package static let loki = ErrorFormat(notFound: "404 page not found") { problem, _ in
    HTTPAnswer(
      HTTPStatus(problem.status), contentType: "text/plain; charset=utf-8", headers: problem.headers,
      body: Array((problem.detail + "\n").utf8))
  }
}
