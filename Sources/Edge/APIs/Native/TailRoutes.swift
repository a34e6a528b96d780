import Access
import Codecs
import Matching
import Querying
import Records
import Routing
import Tailing

/// `GET /v1/tail/{dataset}`: records as they are written, of any dataset of the key's tenant.
package struct TailRoutes: Sendable {
  private let directory: KeyDirectory
  private let registry: Registry
  private let streams: LiveStreams
  private let connections = LiveStreams.Counter()

  /// - Parameter directory: Whose callers may listen.
  package init(_ directory: KeyDirectory, streams: LiveStreams, registry: Registry) {
    self.directory = directory
    self.registry = registry
    self.streams = streams
  }

  /// What is followed.
  struct TailRequest: Sendable {
    static let lastMax = 10_000

    let dataset: Dataset
    let predicate: Predicate
    /// How many of the records that were written last come first.
    let last: Int

    init(_ dataset: Dataset, _ items: QueryItems) throws(Problem) {
      self.dataset = dataset
      last = try TailRequest.number(items["last"])
      guard let text = items["where"], !text.isEmpty else {
        predicate = .all
        return
      }
      let tree: JSONTree
      if text.utf8.first == UInt8(ascii: "{") {
        do throws(JSONTree.SyntaxError) { tree = try JSONTree(parsing: Array(text.utf8)) } catch {
          throw Problem(
            400, "where is not JSON: at byte \(error.offsetBytes): \(error.reason)", field: "where")
        }
      } else {
        tree = .string(text)
      }
      do throws(StoreError) {
        predicate = try Predicate(filter: tree)
        // A filter that does not fit is told before the stream begins.
        _ = try CompiledPredicate(predicate, schema: dataset.schema)
      } catch {
        throw Problem(error)
      }
    }

    private static func number(_ text: String?) throws(Problem) -> Int {
      guard let text else { return 0 }
      guard let number = Int(text), (0...lastMax).contains(number) else {
        throw Problem(400, "last: a number from 0 to \(lastMax)", field: "last")
      }
      return number
    }
  }

  var routes: [Route] {
    [
      Route(
        .get, "/v1/tail/{dataset}",
        "Records as they are written: a WebSocket, or with Accept: text/event-stream Server-Sent Events",
        .live(tail)
      )
      .needing(.read)
      .taking(
        .path("dataset", NativeRoutes.schema(of: registry), "Which dataset"),
        .query("where", JSONSchema.text, "A filter, as a query's `where`: its text or its JSON"),
        .query(
          "last", JSONSchema.integer(0, TailRequest.lastMax),
          "How many of the records written last come first")
      )
      .failing(with: 426)
    ]
  }

  private func tail(_ call: HTTPCall, _ principal: Principal) throws(Problem) -> LiveEndpoint {
    try call.head.checkQuery()
    let dataset = try NativeRoutes.dataset(call.parameters["dataset"], of: registry)
    let items = call.query
    let (directory, authorization) = (directory, call.authorization)
    return LiveEndpoint(
      route: "/v1/tail/{dataset}", errors: .problemDetails,
      mayListen: {
        // Any refusal ends the stream; why is for the access log of the next request.
        let now = try? directory.authenticate(authorization: authorization)
        return now?.tenant == principal.tenant && now?.role.allows(.read) == true
      },
      open: { opening async throws(Problem) in
        // Here and not before: a filter takes milliseconds to compile, and `tail` runs on the event loop.
        try await open(opening, try TailRequest(dataset, items), principal)
      })
  }

  private func open(
    _ opening: LiveEndpoint.Opening, _ request: TailRequest, _ principal: Principal
  ) async throws(Problem) -> LiveSession {
    let partition = Partition(tenant: principal.tenant, dataset: request.dataset)
    let shape = RecordShape(
      "native", form: opening.form, dataset: request.dataset,
      columns: request.dataset.schema.fields.map(\.name), style: RecordStyle(),
      marks: streams.marks(of: partition))
    let filter = Predicate.both(request.predicate, principal.filter)
    return try await streams.session(
      opening, of: partition, filter: filter, shape: shape, counter: connections, newest: request.last)
  }
}
