import APIs
import Access
import Codecs
import Decoding
import Masking
import Platform
import Querying
import Records
import Routing

/// An API in one file: a realm and a dataset of its own, callers by a header, notes in, notes out.
struct ToyAPI: Sendable {
  static let realm = Realm(200, "toy")
  static let notes = Dataset(
    DatasetSchema(
      200, "notes", columns: [Field("text", .utf8, isNullable: false)],
      layout: DatasetSchema.Layout(primaryText: "text")))
  let services: APIServices

  var api: API {
    var api = API("toy", authenticate: authenticate)
    api.realm = ToyAPI.realm
    api.datasets = [ToyAPI.notes]
    api.credentials = [CredentialKind("toyName", "a name", .header("X-Name", bearer: "toyBearer"))]
    api.prefixes = ["/toy/"]
    api.routes = [
      Route(.post, "/toy/notes", "Keeps notes", .store(write)).idempotent
        .taking(.json(JSONSchema.array(JSONSchema.object), #"[{"text":"hello"}]"#)).answering(201),
      Route(.get, "/toy/notes/{word}", "Notes with a word", .answer(read))
        .taking(.path("word", JSONSchema.text, "The word")),
    ]
    return api
  }

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    guard let name = head.headers.first(name: "X-Name") else { throw Problem(401, "Who are you?") }
    let tenant = Tenant(realm: ToyAPI.realm, name: name)
    return Principal(tenant: tenant, subject: name, role: .user, credential: UInt64(name.utf8.count))
  }

  private func write(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let decoder = RecordDecoder(schema: ToyAPI.notes.schema, masking: .none)
    guard let batch = try? decoder.decode(call.body, now: services.clock.now()).batch else {
      throw Problem(400, "Notes are objects with a text.")
    }
    let write = RecordWrite(batch, ToyAPI.notes, bodyBytes: call.body.count, salt: 0)
    return try await services.store.store(write, of: call, for: principal) { kept in
      .object(.created) { $0.member("kept", kept.rowCount) }
    }
  }

  private func read(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let has = Predicate.word(ColumnPath("text"), call.parameters["word"])
    guard let count = try? await services.engine.count(has, in: ToyAPI.notes, for: principal.tenant) else {
      throw Problem(500, "The notes cannot be read.")
    }
    return .object { $0.member("notes", count) }
  }
}
