import Access
import Codecs
import Encoding
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
      let format = try format(of: call)
      return try await answer(call, format: format, principal: principal, stream: stream)
    }
  }

  /// `?format=` wins over `Accept`.
  private func format(of call: HTTPCall) throws(Problem) -> OutputFormat {
    if let name = call.query["format"] {
      guard let format = OutputFormat(rawValue: name) else {
        let names = OutputFormat.allCases.map(\.rawValue).joined(separator: ", ")
        throw Problem(400, "format: one of \(names)", field: "format")
      }
      return format
    }
    let accept = call.head.headers[canonicalForm: "Accept"].joined(separator: ",")
    guard let format = OutputFormat(accept: accept) else {
      throw Problem(406, "Answers come as JSON, NDJSON, CSV, an Arrow stream or Parquet.")
    }
    return format
  }

  private func answer(
    _ call: HTTPCall, format: OutputFormat, principal: Principal, stream: AnswerStream
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
      let request = try DeletionRequest(call.body)
      let count: Int
      do throws(StoreError) {
        count = try await control.delete(
          request.predicate, from: Partition(tenant: principal.tenant, dataset: request.dataset))
      } catch {
        throw Problem(error)
      }
      var text = JSONText()
      text.beginObject()
      text.name("deleted")
      text.value(count)
      text.endObject()
      return .answer(.json(.ok, text))
    }
  }

  func flush() -> Endpoint {
    Endpoint(route: "/v1/admin/flush", bodyBytesMax: NativeRoutes.commandBytesMax, isShort: false) {
      (call, _) async throws(Problem) in
      let archives: Bool
      switch try ControlBody.object(call.body, members: ["archive"])["archive"] {
      case nil: archives = false
      case .bool(let flag)?: archives = flag
      default: throw Problem(400, "archive: true or false", field: "archive")
      }
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
