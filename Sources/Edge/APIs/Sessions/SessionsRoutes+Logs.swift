import Access
import Codecs
import Decoding
import Encoding
import EntryDecoding
import Querying
import Records
import Routing

/// Writing and reading the records of a session.
extension SessionsRoutes {
  private static let place: [RouteParameter] = [
    .path("container", JSONSchema.text, "The container"), .path("session", JSONSchema.text, "The session"),
  ]

  private static let entries = JSONSchema.object(
    [
      (
        "logs",
        JSONSchema.array(
          JSONSchema.object(
            [
              ("timestamp", JSONSchema.time), ("level", JSONSchema.optionalText),
              ("message", JSONSchema.optionalText),
            ], required: ["timestamp", "level", "message"], isOpen: true))
      )
    ], required: ["logs"])

  var logRoutes: [Route] {
    [
      Route(
        .get, "/api/logs/{container?}/{session?}", "A session's records, in the order they were written",
        .stream(read)
      )
      .taking(SessionsRoutes.place)
      .taking(
        .query("start_ts", JSONSchema.time, "From this time on"),
        .query("end_ts", JSONSchema.time, "Up to this time, included"),
        .query("level", JSONSchema.text, "Exactly this level, or one of several").repeatable,
        .query("contains", JSONSchema.text, "The message has this text, or all of several").repeatable,
        .query("ignore_case", JSONSchema.flag, "Whether contains is of any case"),
        .query("order", JSONSchema.order, "The order of writing, or against it"),
        .query("limit", JSONSchema.integer(1), "At most so many"),
        .query("cursor", JSONSchema.text, "Where a page ended"),
        .query("stream", JSONSchema.flag, "Begin with the first record"),
        .query("format", JSONSchema.format, "The answer's form"), .safe
      ).failing(with: 403, 406),
      Route(.post, "/api/logs/{container?}/{session?}", "Stores records", .store(write))
        .idempotent.taking(SessionsRoutes.place)
        .taking(
          SessionsRoutes.body(
            SessionsRoutes.entries,
            #"{"logs":[{"timestamp":"2025-11-30T12:00:00Z","level":"INFO","message":"started"}]}"#,
            bytesMax: limits.bodyBytesMax
          ).compressible.passingOver("members that records do not have", "golden exchange 60 of 000")
        ).answering(201).failing(with: 403, 413, 415, 422, 507),
    ]
  }

  func write(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let (container, session) = (call.parameters["container"], call.parameters["session"])
    let place = try await find(session, in: container, principal)
    return try await store.withBody(of: call) { body throws(Problem) -> HTTPAnswer in
      let decoder = decoder.value
      let batch = try await store.decoding(body) { body, _ throws(Problem) in
        do throws(DecodingError) {
          return try decoder.decode(body, container: place.identity, session: session)
        } catch {
          throw Problem(sessions: error)
        }
      }
      // Before the records are there: a refusal must not leave them.
      do throws(AccessError) { try await catalog.markWritten(place) } catch { throw Problem(access: error) }
      let salt = Hash64.xxh64(Array("\(place.identity)/\(session)".utf8))
      let write = RecordWrite(batch, .sessions, bodyBytes: body.count, salt: salt)
      return try await store.store(write, of: call, for: principal) { receipt in
        SessionsResponses.received(receipt.rowCount, container: container, session: session)
      }
    }
  }

  func read(
    _ call: HTTPCall, _ principal: Principal, through stream: any AnswerStream
  ) async throws(Problem) -> EndpointOutcome {
    let (container, session) = (call.parameters["container"], call.parameters["session"])
    let place = try await find(session, in: container, principal)
    let form = try AnswerForm(wantedBy: call)
    let format = form.format
    let scope = "\(principal.subject)\n\(place.identity)\n\(session)"
    let asked = try LogsRequest(call.query, place, filter: principal.filter) {
      seal.open($0, scope: scope)
    }
    let chunks: EncodedAnswer
    do throws(StoreError) {
      if !place.isWritten, format == .json, try await isEmpty(place, principal) {
        return .answer(SessionsResponses.neverWritten(container: container, session: session))
      }
      let answer = try await engine.run(asked.query, for: principal.tenant)
      let order = asked.query.isDescending ? "d" : "a"
      let sealCursor = { @Sendable [seal] (cursor: String) in seal.seal(order + cursor, scope: scope) }
      chunks = try EncodedAnswer(answer, sealing: sealCursor) { () throws(EncodingError) in
        guard format == .json else {
          return try PlacedEncoder(place, fields: answer.fields) { fields throws(EncodingError) in
            try form.encoder(fields: fields, style: LogsEncoder.style)
          }
        }
        return LogsEncoder(asked, fileCount: max(answer.objectCount, 1), fields: answer.fields)
      }
    } catch {
      throw Problem(error)
    }
    return try await chunks.send(contentType: format.mediaType, isStreamed: asked.isStreamed, through: stream)
  }

  /// Whether the session has no record at all: one that was never acknowledged may be there after a crash.
  private func isEmpty(_ place: SessionCatalog.Session, _ principal: Principal) async throws(StoreError)
    -> Bool
  {
    try await engine.count(LogsRequest.records(of: place), in: .sessions, for: principal.tenant) == 0
  }

  private func find(
    _ session: String, in container: String, _ principal: Principal
  ) async throws(Problem) -> SessionCatalog.Session {
    do throws(AccessError) {
      return try await catalog.session(session, in: container, owner: principal.subject)
    } catch {
      throw Problem(access: error)
    }
  }
}
