import Access
import NIOCore
import NIOHTTP1
import Records

/// The native API's endpoints behind `/v1`.
package struct NativeRoutes: Sendable {
  /// A query, a filter or a command is never longer.
  static let commandBytesMax = 1 << 20

  private let writing: RecordWriting
  private let queries: any NativeQueries
  private let control: any StoreControl
  private let limits: HTTPLimits

  package init(
    writing: RecordWriting, queries: any NativeQueries, control: any StoreControl, limits: HTTPLimits
  ) {
    self.writing = writing
    self.queries = queries
    self.control = control
    self.limits = limits
  }

  func records(_ dataset: Dataset, principal: Principal) -> Endpoint {
    Endpoint(route: "/v1/records/{dataset}", bodyBytesMax: limits.bodyBytesMax, isShort: true) {
      (call, _) async throws(Problem) in
      try await writing.write(call, dataset: dataset, principal: principal)
    }
  }

  func query(_ principal: Principal) -> Endpoint {
    Endpoint(route: "/v1/query", bodyBytesMax: NativeRoutes.commandBytesMax, isShort: false) {
      (call, stream) async throws(Problem) in
      guard
        let format = AnswerFormat.choose(
          format: call.query["format"], accept: call.head.headers[canonicalForm: "Accept"].map(String.init))
      else {
        throw call.query["format"] == nil
          ? Problem(406, "Answers come as JSON, NDJSON, CSV, an Arrow stream or Parquet.")
          : Problem(400, "format must be json, ndjson, csv, arrow or parquet.", field: "format")
      }
      return try await answer(call, format: format, principal: principal, stream: stream)
    }
  }

  private func answer(
    _ call: HTTPCall, format: AnswerFormat, principal: Principal, stream: AnswerStream
  ) async throws(Problem) -> EndpointOutcome {
    let chunks: any AnswerChunks
    do throws(StoreError) {
      chunks = try await queries.start(call.body, tenant: principal.tenant, format: format)
    } catch {
      throw Problem(error)
    }
    let first = try await next(of: chunks) ?? []
    guard let second = try await next(of: chunks) else {
      // All of it: with its length, the answer needs no chunks.
      return .answer(HTTPAnswer(.ok, contentType: format.mediaType, body: ByteBuffer(bytes: first)))
    }
    try await stream.begin(contentType: format.mediaType)
    try await stream.write(ByteBuffer(bytes: first))
    try await stream.write(ByteBuffer(bytes: second))
    while let bytes = try await next(of: chunks) { try await stream.write(ByteBuffer(bytes: bytes)) }
    return .streamed
  }

  private func next(of chunks: any AnswerChunks) async throws(Problem) -> [UInt8]? {
    do throws(StoreError) { return try await chunks.next() } catch { throw Problem(error) }
  }

  func delete(_ principal: Principal) -> Endpoint {
    Endpoint(route: "/v1/delete", bodyBytesMax: NativeRoutes.commandBytesMax, isShort: false) {
      (call, _) async throws(Problem) in
      do throws(StoreError) {
        let (dataset, predicate) = try queries.deletion(call.body)
        let count = try await control.delete(
          predicate, from: Partition(tenant: principal.tenant, dataset: dataset))
        var text = JSONText()
        text.beginObject()
        text.name("deleted")
        text.value(count)
        text.endObject()
        return .answer(.json(.ok, text))
      } catch {
        throw Problem(error)
      }
    }
  }

  func flush() -> Endpoint {
    Endpoint(route: "/v1/admin/flush", bodyBytesMax: NativeRoutes.commandBytesMax, isShort: false) {
      (call, _) async throws(Problem) in
      guard let flags = FlagObject.parse(call.body), flags.keys.allSatisfy({ $0 == "archive" }) else {
        throw Problem(400, "The body must be empty or {\"archive\": true|false}.")
      }
      let archives = flags["archive"] ?? false
      if archives {
        do throws(StoreError) { try await control.archive() } catch { throw Problem(error) }
      }
      // Without archiving there is nothing to do: what was acknowledged is on the disk.
      var text = JSONText()
      text.beginObject()
      text.name("flushed")
      text.value(true)
      text.name("archived")
      text.value(archives)
      text.endObject()
      return .answer(.json(.ok, text))
    }
  }
}
