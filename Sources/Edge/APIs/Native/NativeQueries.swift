import Access
import Codecs
import Encoding
import Matching
import Querying
import Records
import Routing

/// Answers the native API's questions.
package protocol NativeQueries: Sendable {
  /// Parses, checks and starts a query.
  ///
  /// - Throws: `invalid` for whatever is wrong with the body.
  func start(
    _ body: [UInt8], principal: Principal, form: AnswerForm
  ) async throws(StoreError) -> sending any AnswerChunks
}

/// The queries of the native API, over the query engine.
package struct EngineQueries: NativeQueries {
  private let engine: any QueryAnswering
  private let registry: Registry
  private let seal: CursorSeal

  /// - Parameters:
  ///   - registry: What there is to ask.
  ///   - seal: Of cursors: they are good for one tenant's dataset, and made by nobody else.
  package init(engine: any QueryAnswering, registry: Registry, seal: CursorSeal) {
    self.engine = engine
    self.registry = registry
    self.seal = seal
  }

  private static func scope(_ principal: Principal, _ dataset: Dataset) -> String {
    "query \(principal.tenant) \(dataset.name)"
  }

  package func start(
    _ body: [UInt8], principal: Principal, form: AnswerForm
  ) async throws(StoreError) -> sending any AnswerChunks {
    let request = try QueryRequest(json: body, filter: principal.filter, registry: registry) {
      seal.open($0, scope: EngineQueries.scope(principal, $1))
    }
    let scope = EngineQueries.scope(principal, request.dataset)
    try form.check(request)
    let answer = try await engine.run(request, for: principal.tenant)
    var remarks = AnswerRemarks(
      incompleteness: Incompleteness(answer.damagedFiles), approximation: answer.approximation)
    if request.wantsStatistics ?? (form.format == .json), principal.mayKnowStatistics {
      remarks.statistics = { answer.statistics }
    }
    return try EncodedAnswer(answer, sealing: { [seal] in seal.seal($0, scope: scope) }) {
      () throws(EncodingError) in
      try form.encoder(fields: answer.fields, remarks: remarks)
    }
  }
}

extension Principal {
  /// Whether figures of what was looked at may be told: who sees some of a dataset's records only would learn
  /// from them how many the others are.
  var mayKnowStatistics: Bool { filter == .all }
}

/// The body of `POST /v1/delete`: which records of which dataset.
struct DeletionRequest {
  let dataset: Dataset
  let predicate: Predicate

  init(_ body: [UInt8], registry: Registry) throws(Problem) {
    let tree = try ControlBody.object(body, taking: "dataset", "where")
    guard case .string(let name)? = tree["dataset"], let dataset = registry.dataset(named: name) else {
      let names = registry.datasets.map(\.name).joined(separator: ", ")
      throw Problem(400, "dataset: one of \(names)", field: "dataset")
    }
    // To delete everything is possible, but has to be said: {"and": []}.
    guard let filter = tree["where"] else {
      throw Problem(400, "where: which records; {\"and\": []} means all of them", field: "where")
    }
    do throws(StoreError) {
      predicate = try Predicate(filter: filter)
      _ = try CompiledPredicate(predicate, schema: dataset.schema)
    } catch {
      throw Problem(error)
    }
    self.dataset = dataset
  }
}

/// Small JSON bodies of control routes.
enum ControlBody {
  /// The object `body` is, whose members are among `names`; an empty body is an empty object.
  static func object(_ body: [UInt8], taking names: String...) throws(Problem) -> JSONTree {
    guard !body.isEmpty else { return .object([]) }
    let tree: JSONTree
    do throws(JSONTree.SyntaxError) { tree = try JSONTree(parsing: body) } catch {
      throw Problem(400, "The body is not JSON: \(error.reason)", byte: error.offsetBytes)
    }
    guard case .object(let members) = tree else { throw Problem(400, "The body must be a JSON object.") }
    if let slip = Slip.first(of: members, among: names) {
      throw slip.problem(in: .body, errors: .problemDetails)
    }
    return tree
  }
}
