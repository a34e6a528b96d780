import Access
import Codecs
import Decoding
import EntryDecoding
import Masking
import Platform
import Records
import Routing
import Shaping

/// Splunk's HTTP Event Collector, which Vector, Fluent Bit, Docker's driver and many loggers speak
/// (Docs/splunk.md). Events become records of the dataset `logs`, of the key's tenant.
package struct SplunkRoutes: Sendable {
  private let callers: NativeCallers
  private let writing: PushWriting
  private let clock: any WallClock
  private let events: Replaceable<SplunkEvents>
  private let bodyBytesMax: Int

  private static let base = "/services/collector"

  /// - Parameter directory: Whose keys open it.
  package init(_ services: APIServices, directory: KeyDirectory) {
    callers = NativeCallers(directory, log: services.log)
    writing = PushWriting(store: services.store, way: "splunk", salt: 0x6865_6365)
    clock = services.clock
    events = Replaceable(SplunkEvents(limits: services.decodingLimits))
    bodyBytesMax = services.limits.bodyBytesMax
  }

  package var api: API {
    var api = API("splunk", errors: .splunk, authenticate: authenticate)
    api.realm = NativeRoutes.realm
    api.datasets = [.logs]
    api.credentials = [NativeRoutes.key]
    api.prefixes = [SplunkRoutes.base]
    api.masking = { [events] plan in events.replace(with: events.value.masked(by: plan(.logs))) }
    api.routes =
      ["", "/event", "/event/1.0"].flatMap { path in
        let path = PathPattern(SplunkRoutes.base + path)
        // Docker's driver asks so whether anybody is there, and takes 200 alone.
        let asked = Route(.options, path, "Whether events are taken here", .open(present)).safe
        return [write(path, isRaw: false), asked]
      }
      + ["/raw", "/raw/1.0"].map { write(PathPattern(SplunkRoutes.base + $0), isRaw: true) }
      + ["/health", "/health/1.0"].map {
        Route(
          .get, PathPattern(SplunkRoutes.base + $0), "Whether events would be taken, as far as clients ask",
          .open(health))
      } + [acknowledgements]
    return api
  }

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    if route.isOpen { return nil }
    return try callers.authenticate(head, origin, route, as: .splunk)
  }

  // MARK: Events

  private func write(_ path: PathPattern, isRaw: Bool) -> Route {
    var body = RouteBody.json(
      isRaw ? JSONSchema.text : JSONSchema.object([("event", "{}")], isOpen: true),
      isRaw ? SplunkRoutes.lines : SplunkRoutes.example, bytesMax: bodyBytesMax
    ).compressible
    if isRaw { body.mediaType = "text/plain" }
    let route = Route(
      .post, path,
      isRaw
        ? "Stores lines of text as Splunk's clients send them"
        : "Stores events as Splunk's clients send them",
      .store { call, principal throws(Problem) in try await store(call, principal, isRaw: isRaw) }
    )
    .needing(.write).idempotent.taking(body).failing(with: 413)
    .taking(
      ["host", "source", "sourcetype", "index"].map {
        .query($0, JSONSchema.text, "Of events that name none")
      }
    )
    .taking(
      .query("time", JSONSchema.text, "Of events that name none: seconds since 1970"),
      .passedOver("channel", "Splunk's clients send it, here every channel is one"),
      .passedOver("auto_extract_timestamp", "Splunk's clients send it, times are always looked for"))
    return isRaw ? route : route.taking(MappedFields.parameters)
  }

  private static let example =
    #"{"time":1764504000.25,"host":"web-1","source":"shop","event":"order 4711 failed","#
    + #""fields":{"level":"error"}}"#
  private static let lines = "order 4711 placed\norder 4711 failed\n"

  private func store(
    _ call: HTTPCall, _ principal: Principal, isRaw: Bool
  ) async throws(Problem) -> HTTPAnswer {
    let mapping = try MappedFields.mapping(call.query)
    let (events, now) = (events.value.mapped(by: mapping), clock.now())
    let origin = try SplunkRoutes.origin(call.query, now: now)
    return try await writing.write(call, for: principal) { body, memory throws(Problem) in
      do throws(PushFault) {
        let decoded =
          isRaw
          ? try events.decode(lines: body, origin, now: now, within: memory)
          : try events.decode(body, origin, now: now, within: memory)
        var figures = PushFigures(refused: decoded.records.refusedCount, textBytes: decoded.records.textBytes)
        figures.timesUnread = decoded.timesUnreadCount
        // Who takes a refusal for something that passes sends the same again: what was good in it is stored
        // once.
        return Push(
          decoded.records.batch, (), figures, kept: decoded.fault.map(SplunkRoutes.refusal) ?? [],
          key: decoded.fault == nil
            ? nil : PushWriting.key("_hec", of: body, "\(isRaw) \(origin) \(mapping.text)"))
      } catch {
        var empty = Problem(400, "No data")
        empty.code = "5"
        throw Problem(error, empty: empty)
      }
    } answer: { push, _ in
      push.kept.isEmpty
        ? .object { SplunkRoutes.write("Success", 0, to: &$0) } : .json(HTTPStatus(400), push.kept)
    }
  }

  /// - Throws: 400: a time that is none.
  private static func origin(_ query: QueryItems, now: Int64) throws(Problem) -> SplunkEvents.Origin {
    var origin = SplunkEvents.Origin()
    origin.host = query["host"]
    origin.source = query["source"]
    origin.sourcetype = query["sourcetype"]
    origin.index = query["index"]
    if let time = query["time"] {
      origin.time = SplunkEvents.time(time, now: now)
      guard origin.time != nil else { throw Problem(400, "time must be a time.", field: "time") }
    }
    return origin
  }

  fileprivate static func write(_ words: String, _ code: Int, to text: inout JSONWriter) {
    text.member("text", words)
    text.member("code", code)
  }

  private static func refusal(_ fault: SplunkEvents.Fault) -> [UInt8] {
    JSONWriter.object { text in
      write(fault.code.text, fault.code.rawValue, to: &text)
      text.member("invalid-event-number", fault.event)
      text.member("detail", fault.reason)
    }
  }

  // MARK: What clients ask

  private func present(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    HTTPAnswer(.ok, contentType: "text/plain; charset=utf-8", headers: [("Allow", "POST, OPTIONS")], body: [])
  }

  private func health(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    .object { SplunkRoutes.write("HEC is healthy", 17, to: &$0) }
  }

  /// No answer has an `ackId`, since what is answered is on the disk; who asks for one is told so.
  private var acknowledgements: Route {
    Route(
      .post, PathPattern(SplunkRoutes.base + "/ack"),
      "Whether events are stored: those that were answered are",
      .answer { call, _ throws(Problem) in
        let tree: JSONTree
        do throws(JSONTree.SyntaxError) { tree = try JSONTree(parsing: call.body) } catch {
          throw Problem(400, "Invalid data format")
        }
        guard case .array(let acks)? = tree["acks"] else { throw Problem(400, "Invalid data format") }
        return .object { text in
          text.name("acks")
          text.beginObject()
          for case .int64(let ack) in acks {
            text.name(text: "\(ack)")
            text.value(true)
          }
          text.endObject()
        }
      }
    )
    .safe.taking(
      .json(
        JSONSchema.object([("acks", JSONSchema.array(JSONSchema.integer(0)))]), #"{"acks":[0]}"#,
        bytesMax: 64 << 10)
    ).taking(.passedOver("channel", "Splunk's clients send it, here every channel is one"))
  }
}

extension KeyForm {
  /// `Authorization: Splunk KEY`, and as ``pairs``.
  fileprivate static let splunk = KeyForm(
    problem: { error in
      let (status, text, code) =
        switch error {
        case .missing: (401, "Token is required", "2")
        case .malformed: (401, "Invalid authorization", "3")
        case .unknown: (403, "Invalid token", "4")
        }
      var problem = Problem(status, text)
      problem.code = code
      return problem
    },
    authorization: { head in
      let sent = head.headers.first(name: "Authorization")
      return sent.flatMap { NativeCallers.bearer(of: $0, scheme: "splunk ") } ?? KeyForm.pair(of: head)
    })
}

extension ErrorFormat {
  /// `{"text","code"}`, with Splunk's numbers.
  package static let splunk = ErrorFormat(notFound: "The requested URL was not found on this server.") {
    problem, _ in
    var problem = problem
    if problem.status == 507 {
      problem.status = 503
      problem.retryAfterSeconds = problem.retryAfterSeconds ?? 5
    }
    return problem.answer { SplunkRoutes.write(problem.detail, problem.splunkCode, to: &$0) }
  }
}

extension Problem {
  fileprivate var splunkCode: Int {
    if let code, let number = Int(code) { return number }
    return switch status {
    case 401: 3
    case 403: 1
    case 404, 405, 415: status
    case 408, 429, 503: 9
    case 500...: 8
    default: 6
    }
  }
}
