import Access
import Codecs
import Decoding
import EntryDecoding
import Masking
import Platform
import Records
import Routing

/// OpenTelemetry's logs (OTLP 1, Docs/otlp.md). Records go into the dataset `logs`, of the key's tenant. One
/// of these a transport: errors are written as the request is.
package struct OTLPRoutes: Sendable {
  /// How exports come.
  package enum Transport: Sendable {
    /// HTTP, the body protobuf.
    case protobuf
    /// HTTP, the body JSON, as bodies are taken for that name no type.
    case json
    /// gRPC: a unary call.
    case grpc
  }

  private let transport: Transport
  private var form: OTLPLogs.Form { transport == .json ? .json : .protobuf }
  private let callers: NativeCallers
  private let writing: PushWriting
  private let clock: any WallClock
  private let logs: Replaceable<OTLPLogs>
  private let bodyBytesMax: Int

  private static let protobuf = "application/x-protobuf"

  /// - Parameter directory: Whose keys open it.
  package init(_ services: APIServices, _ transport: Transport, directory: KeyDirectory) {
    self.transport = transport
    callers = NativeCallers(directory, log: services.log)
    writing = PushWriting(
      store: services.store, way: "otlp", salt: transport == .json ? 0x6F74_6C6A : 0x6F74_6C70)
    clock = services.clock
    logs = Replaceable(OTLPLogs(limits: services.decodingLimits))
    bodyBytesMax = services.limits.bodyBytesMax
  }

  package var api: API {
    var api: API
    switch transport {
    case .json: api = API("otlp", errors: .otlpJSON, authenticate: authenticate)
    case .protobuf: api = API("otlp-protobuf", errors: .otlpProtobuf, authenticate: authenticate)
    case .grpc: api = API("otlp-grpc", errors: .otlpGRPC, authenticate: authenticate)
    }
    api.realm = NativeRoutes.realm
    api.datasets = [.logs]
    api.credentials = [NativeRoutes.key]
    api.prefixes =
      switch transport {
      case .json: ["/otlp/"]
      case .protobuf: []
      case .grpc: ["/opentelemetry.proto.collector."]
      }
    api.masking = { [logs] plan in logs.replace(with: logs.value.masked(by: plan(.logs))) }
    api.routes =
      transport == .grpc ? [service] : ["/v1/logs", "/otlp/v1/logs"].map { route(PathPattern($0)) }
    return api
  }

  private func route(_ path: PathPattern) -> Route {
    let route = Route(.post, path, "Stores logs as OpenTelemetry exports them", .store(export))
      .needing(.write).idempotent.failing(with: 413, 415)
    guard form == .protobuf else {
      let refusal = "Exports are protobuf (application/x-protobuf) or JSON (application/json)."
      return route.taking(
        .json(OTLPRoutes.schema, OTLPRoutes.example, bytesMax: bodyBytesMax)
          .accepting(.json(refusal: refusal)).compressible)
    }
    var body = RouteBody.json(JSONSchema.text, OTLPRoutes.message, bytesMax: bodyBytesMax).compressible
    body.mediaType = OTLPRoutes.protobuf
    return route.taking(body).claimed { head in
      head.mediaType.map { ["application/x-protobuf", "application/protobuf"].contains($0) } ?? false
    }
  }

  /// `opentelemetry.proto.collector.logs.v1.LogsService`.
  private var service: Route {
    var body = RouteBody.json(JSONSchema.text, GRPCMessage.shown(OTLPRoutes.message), bytesMax: bodyBytesMax)
      .accepting(
        .listed(["application/grpc", "application/grpc+proto"], refusal: "The call is gRPC of protobuf."))
    body.mediaType = "application/grpc"
    return Route(
      .post, "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
      "Stores logs as OpenTelemetry exports them by gRPC", .store(export)
    )
    .needing(.write).idempotent.taking(body).failing(with: 413, 415)
  }

  private static let schema = JSONSchema.object(
    [("resourceLogs", JSONSchema.array(JSONSchema.object))], isOpen: true)
  private static let example =
    #"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"#
    + #""scopeLogs":[{"logRecords":[{"severityNumber":17,"body":{"stringValue":"order 4711 failed"}}]}]}]}"#
  /// The same in protobuf would not be text: a record with a body alone.
  private static let message = "\n\n\u{12}\u{08}\u{12}\u{06}*\u{04}\n\u{02}hi"

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    try callers.authenticate(head, origin, route, as: .pairs)
  }

  private func export(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let (logs, form, now) = (logs.value, form, clock.now())
    let call = transport == .grpc ? try GRPCMessage.unwrapped(call) : call
    return try await writing.write(call, for: principal) { body, memory throws(Problem) in
      do throws(PushFault) {
        let records = try logs.decode(body, form, now: now, within: memory)
        return Push(records, kept: OTLPRoutes.partial(records, form))
      } catch { throw Problem(error) }
    } answer: { push, _ in
      switch transport {
      case .json:
        HTTPAnswer(
          .ok, contentType: "application/json", body: push.kept.isEmpty ? Array("{}".utf8) : push.kept)
      case .protobuf: HTTPAnswer(.ok, contentType: OTLPRoutes.protobuf, body: push.kept)
      case .grpc: GRPCMessage.answer(push.kept)
      }
    }
  }

  /// `ExportLogsServiceResponse { 1 partial success { 1 rejected log records, 2 error message } }`; empty:
  /// all were stored.
  private static func partial(_ records: PushedRecords, _ form: OTLPLogs.Form) -> [UInt8] {
    guard let first = records.refusals.first else { return [] }
    let reason = "record \(first.record): \(first.reason)"
    switch form {
    case .json:
      return JSONWriter.object { text in
        text.name("partialSuccess")
        text.beginObject()
        text.member("rejectedLogRecords", "\(records.refusedCount)")
        text.member("errorMessage", reason)
        text.endObject()
      }
    case .protobuf:
      var success = ProtobufWriter()
      success.append(1, varint: UInt64(records.refusedCount))
      success.append(2, text: reason)
      var response = ProtobufWriter()
      response.append(1, bytes: success.bytes)
      return response.bytes
    }
  }
}

extension ErrorFormat {
  /// `google.rpc.Status` in JSON.
  package static let otlpJSON = ErrorFormat(notFound: "404 page not found") { problem, _ in
    let problem = problem.retriedByOTLP
    return problem.answer { text in
      text.member("code", problem.grpcCode)
      text.member("message", problem.detail)
    }
  }

  /// `google.rpc.Status { 1 code, 2 message }`.
  package static let otlpProtobuf = ErrorFormat(notFound: "404 page not found") { problem, _ in
    let problem = problem.retriedByOTLP
    var status = ProtobufWriter()
    status.append(1, varint: UInt64(problem.grpcCode))
    status.append(2, text: problem.detail)
    return HTTPAnswer(
      HTTPStatus(problem.status), contentType: "application/x-protobuf", headers: problem.headers,
      body: status.bytes)
  }

  /// The status of a gRPC call; how soon to try again is `google.rpc.RetryInfo` in its details.
  package static let otlpGRPC = ErrorFormat(notFound: "there is no such service") { problem, _ in
    let problem = problem.retriedByOTLP
    return GRPCMessage.answer(
      HTTPStatus(problem.status), headers: problem.headers,
      GRPCStatus(
        code: problem.grpcCallCode, message: problem.detail, retryAfterSeconds: problem.retryAfterSeconds))
  }
}

extension Problem {
  /// Exporters drop what is answered 500, 507 and the like, and send again what is answered 429, 502, 503 and
  /// 504, within ten seconds in all: what may pass is 503, and soon.
  fileprivate var retriedByOTLP: Problem {
    var problem = self
    if status >= 500, ![502, 503, 504].contains(status) { problem.status = 503 }
    if problem.status == 503 || problem.status == 429 {
      problem.retryAfterSeconds = min(retryAfterSeconds ?? 5, 5)
    }
    return problem
  }

  /// As ``grpcCode``, where gRPC's clients look for a service or a coding that is not there.
  fileprivate var grpcCallCode: Int {
    switch status {
    case 404, 405, 415: 12
    case 408: 14
    default: grpcCode
    }
  }

  /// google.rpc.Code.
  fileprivate var grpcCode: Int {
    switch status {
    case 401: 16
    case 403: 7
    case 404: 5
    case 413, 429: 8
    case 503: 14
    case 504: 4
    case 500...: 13
    default: 3
    }
  }
}
