import Access
import Codecs
import Decoding
import Encoding
import Querying
import Records
import Routing

/// Writing and reading the records of a session.
extension SessionsRoutes {
  func write(
    _ call: HTTPCall, _ principal: Principal, container: String, session: String
  ) async throws(Problem) -> HTTPAnswer {
    let place = try await find(session, in: container, principal)
    let receipt = try await store.withBody(of: call) { body throws(Problem) -> AppendReceipt in
      let batch: RecordBatch
      do throws(DecodingError) {
        batch = try decoder.value.decode(body, container: container, session: session)
      } catch {
        throw Problem(sessions: error)
      }
      let salt = Hash64.xxh64(Array("\(container)/\(session)".utf8))
      return try await store.append(
        batch, of: call, bodyBytes: body.count, for: principal, salt: salt, dataset: .sessions)
    }
    do throws(AccessError) { try await catalog.markWritten(place) } catch { throw Problem(sessions: error) }
    var answer = SessionsResponses.received(receipt.rowCount, container: container, session: session)
    if receipt.isReplay { answer.headers.append(("Idempotency-Replayed", "true")) }
    return answer
  }

  func read(
    _ call: HTTPCall, _ principal: Principal, container: String, session: String,
    through stream: any AnswerStream
  ) async throws(Problem) -> EndpointOutcome {
    let place = try await find(session, in: container, principal)
    let format = try OutputFormat(wantedBy: call)
    let scope = "\(principal.subject)\n\(container)\n\(session)"
    let asked = try LogsRequest(call.query, place, format: format, filter: principal.filter) {
      seal.open($0, scope: scope)
    }
    let chunks: EncodedAnswer
    do throws(StoreError) {
      if !place.isWritten, format == .json, try await isEmpty(place, principal) {
        return .answer(SessionsResponses.neverWritten(container: container, session: session))
      }
      let answer = try await engine.run(asked.query, for: principal.tenant)
      let sealCursor = { [seal] (cursor: String) in
        seal.seal((asked.query.isDescending ? "d" : "a") + cursor, scope: scope)
      }
      chunks = try EncodedAnswer(answer) { () throws(EncodingError) in
        guard format == .json else {
          return try format.encoder(fields: answer.fields, style: LogsEncoder.style)
        }
        return LogsEncoder(
          asked, fileCount: max(answer.fileCount, 1), fields: answer.fields, seal: sealCursor)
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
      throw Problem(sessions: error)
    }
  }
}
