import Access
import Codecs
import Decoding
import EntryDecoding
import Masking
import Platform
import Records
import Routing

/// `POST /insert`: lines of text, and what loggers write as JSON, from whatever can send a body
/// (Docs/insert.md). They become records of the dataset `logs`, of the key's tenant.
package struct InsertRoutes: Sendable {
  private let callers: NativeCallers
  private let writing: PushWriting
  private let clock: any WallClock
  private let decoder: Replaceable<InsertBody>
  private let bodyBytesMax: Int

  /// Types of bodies that are objects; all others are lines.
  private static let objectTypes = [
    "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines",
    "application/jsonlines", "application/stream+json", "application/json-lines",
  ]

  /// - Parameter directory: Whose keys open it.
  package init(_ services: APIServices, directory: KeyDirectory) {
    callers = NativeCallers(directory, log: services.log)
    writing = PushWriting(store: services.store, way: "insert", salt: 0x696E_7365)
    clock = services.clock
    decoder = Replaceable(InsertBody(limits: services.decodingLimits))
    bodyBytesMax = services.limits.bodyBytesMax
  }

  package var api: API {
    var api = API("insert", authenticate: authenticate)
    api.realm = NativeRoutes.realm
    api.datasets = [.logs]
    api.credentials = [NativeRoutes.key]
    api.masking = { [decoder] plan in decoder.replace(with: decoder.value.masked(by: plan(.logs))) }
    var body = RouteBody.json(JSONSchema.text, InsertRoutes.example, bytesMax: bodyBytesMax).compressible
    body.mediaType = "text/plain"
    api.routes = [
      Route(.post, "/insert", "Stores lines of text, or objects of any logger", .store(insert))
        .needing(.write).idempotent.taking(body).failing(with: 413, 507)
        .taking(
          .query("service", JSONSchema.text, "Of records that name none"),
          .query("env", JSONSchema.text, "Of records that name none"),
          .query("level", JSONSchema.text, "Of records that name none"),
          .query("host", JSONSchema.text, "Where they come from: a label"),
          .query(
            "on_error", JSONSchema.choice("reject", "skip"), "What becomes of a body with a bad record")
        )
        .taking(MappedFields.parameters)
    ]
    return api
  }

  private static let example = "order 4711 placed\norder 4711 failed\n"

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    try callers.authenticate(head, origin, route, as: .pairs)
  }

  private func insert(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let now = clock.now()
    let decoder = decoder.value.mapped(by: try MappedFields.mapping(call.query))
    let skips: Bool
    switch call.query["on_error"] {
    case nil, "reject": skips = false
    case "skip": skips = true
    default: throw Problem(400, "on_error must be reject or skip.", field: "on_error")
    }
    let form = InsertRoutes.form(of: call.head)
    let origin = InsertRoutes.origin(call.query)
    return try await writing.write(call, for: principal) { body, memory throws(Problem) in
      let decoded: InsertBody.Decoded
      do throws(PushFault) {
        decoded = try decoder.decode(body, form, origin, now: now, within: memory)
      } catch { throw Problem(error) }
      let records = decoded.records
      if !skips, let first = records.refusals.first {
        throw Problem(400, "record \(first.record): \(first.reason)", entry: first.record)
      }
      let figures = PushFigures(
        refused: records.refusedCount, timesUnread: decoded.timesUnreadCount, textBytes: records.textBytes)
      return Push(records.batch, (), figures, kept: skips ? InsertRoutes.rejected(records) : [])
    } answer: { push, receipt in
      .object { text in
        text.member("accepted", receipt?.rowCount ?? 0)
        text.members(push.kept)
      }
    }
  }

  private static func form(of head: RequestHead) -> InsertBody.Form {
    guard let type = head.mediaType else { return .lines }
    return head.isJSON || objectTypes.contains(type) ? .json : .lines
  }

  private static func origin(_ query: QueryItems) -> InsertBody.Origin {
    var origin = InsertBody.Origin()
    origin.service = query["service"]
    origin.env = query["env"]
    origin.host = query["host"]
    origin.level = query["level"]
    return origin
  }

  /// The members of the answer that tell what was left out.
  private static func rejected(_ records: PushedRecords) -> [UInt8] {
    var text = JSONWriter(capacity: 256)
    text.member("rejected", records.refusedCount)
    text.name("errors")
    text.list(records.refusals) { text, refusal in
      text.member("entry", refusal.record)
      text.member("detail", refusal.reason)
    }
    return text.takeBytes()
  }
}
