import Access
import Codecs
import Decoding
import EntryDecoding
import Masking
import Platform
import Records
import Routing

/// What `systemd-journal-upload` sends (Docs/journald.md). Entries become records of the dataset `logs`, of
/// the key's tenant.
///
/// A request is as long as the journal: it is stored piece by piece as it comes, and answered when all of it
/// is on the disk. The sender then keeps how far it came; of a request that fails it knows nothing, and sends
/// it again from its beginning. So a piece is known by its bytes for as long as an idempotency key is.
package struct JournalRoutes: Sendable {
  private let callers: NativeCallers
  private let writing: PushWriting
  private let clock: any WallClock
  private let decoder: Replaceable<JournalExport>
  private let bodyBytesMax: Int

  private static let mediaType = "application/vnd.fdo.journal"
  /// A piece of a thousand entries or so: a sync each.
  private static let pieceBytes = 1 << 20

  /// - Parameter directory: Whose keys open it.
  package init(_ services: APIServices, directory: KeyDirectory) {
    callers = NativeCallers(directory, log: services.log)
    writing = PushWriting(store: services.store, way: "journald", salt: 0x6A6F_7572)
    clock = services.clock
    decoder = Replaceable(JournalExport(limits: services.decodingLimits))
    bodyBytesMax = services.limits.bodyBytesMax
  }

  package var api: API {
    var api = API("journald", errors: .journald, authenticate: authenticate)
    api.realm = NativeRoutes.realm
    api.datasets = [.logs]
    api.credentials = [NativeRoutes.key]
    api.masking = { [decoder] plan in decoder.replace(with: decoder.value.masked(by: plan(.logs))) }
    var body = RouteBody.json(JSONSchema.text, JournalRoutes.example, bytesMax: bodyBytesMax).compressible
      .accepting(.listed([JournalRoutes.mediaType], refusal: "Entries are \(JournalRoutes.mediaType)."))
    body.mediaType = JournalRoutes.mediaType
    api.routes = [
      Route(.post, "/upload", "Stores entries as systemd-journal-upload sends them", .store(upload))
        .needing(.write).taking(body).failing(with: 413, 415, 429, 507)
        .takingPieces(of: JournalRoutes.pieceBytes) { call, principal throws(Problem) in
          // A name for all of them would make the second a repeat of the first.
          let isNamed = ["Idempotency-Key", "Cordwood-Import"].contains {
            call.head.headers.contains(name: $0)
          }
          if isNamed { throw Problem(400, "An upload in pieces has names of its own for them.") }
          return try await store(call, for: principal, isLast: false)
        }
    ]
    return api
  }

  private static let example =
    "__REALTIME_TIMESTAMP=1764504000250000\nPRIORITY=3\nSYSLOG_IDENTIFIER=shop\nMESSAGE=order 4711 failed\n\n"

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    try callers.authenticate(head, origin, route, as: .pairs)
  }

  /// The last piece, or all.
  private func upload(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    var rest = call
    while !rest.body.isEmpty {
      let count = try await store(rest, for: principal, isLast: true)
      // Of a compressed body all is done at once.
      if !call.head.isPlain || count >= rest.body.count { break }
      invariant(count > 0, "of what nothing follows something is whole")
      rest = rest.replacingBody(Array(rest.body.dropFirst(count)), coding: nil)
    }
    return HTTPAnswer(.ok, contentType: "text/plain; charset=utf-8", body: Array("OK.\n".utf8))
  }

  /// Stores what is whole at the beginning of a piece.
  ///
  /// - Returns: How many bytes that is, decompressed.
  private func store(
    _ call: HTTPCall, for principal: Principal, isLast: Bool
  ) async throws(Problem) -> Int {
    let (decoder, now, isPlain) = (decoder.value, clock.now(), call.head.isPlain)
    var byteCount = 0
    _ = try await writing.write(call, for: principal) { body, memory throws(Problem) in
      do throws(PushFault) {
        let decoded = try decoder.decode(body, isLast: isLast, now: now, within: memory)
        if !isPlain, decoded.byteCount < body.count { throw .tooLarge }
        let records = decoded.records
        let figures = PushFigures(
          refused: records.refusedCount, timesUnread: decoded.timesUnreadCount, textBytes: records.textBytes)
        return Push(
          records.batch, decoded.byteCount, figures,
          key: decoded.isTold ? PushWriting.key("_journald", of: body, "") : nil)
      } catch { throw Problem(error) }
    } answer: { push, _ in
      byteCount = push.made
      return HTTPAnswer(.ok, contentType: "text/plain", body: [])
    }
    return byteCount
  }
}

extension ErrorFormat {
  /// A sentence: `systemd-journal-upload` logs the whole body.
  package static let journald = ErrorFormat(notFound: "404 page not found") { problem, _ in
    HTTPAnswer(
      HTTPStatus(problem.status), contentType: "text/plain; charset=utf-8", headers: problem.headers,
      body: Array((problem.detail + "\n").utf8))
  }
}
