import Access
import Codecs
import Encoding
import Querying
import Records
import Routing

/// Answers of any size go to the disk by the browser itself, not through the page.
extension PageRoutes {
  var downloadRoutes: [Route] {
    [
      Route(
        .post, "/ui/v1/downloads", "An address for a query's answer, good once within a minute",
        .answer(prepare)
      )
      .needing(.read).taking(PageCallers.fields)
      .taking(
        .json(
          JSONSchema.object(
            [("dataset", NativeRoutes.schema(of: services.registry)), ("format", JSONSchema.format)],
            required: ["dataset", "format"], isOpen: true),
          #"{"dataset":"logs","where":{"eq":["level","ERROR"]},"format":"csv"}"#,
          bytesMax: PageDownloads.bodyBytesMax)
      ).answering(201).failing(with: 413, 429),
      Route(.get, PathPattern(PageDownloads.path), "The answer that waits here", .stream(download))
        .taking(.path("token", JSONSchema.text, "What `POST /ui/v1/downloads` gave")),
    ]
  }

  private func prepare(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    guard case .object(let members) = try PageRoutes.tree(call.body) else {
      throw Problem(400, "The body must be a JSON object.")
    }
    let tree = JSONTree.object(members)
    guard let word = tree["format"]?.string, let format = OutputFormat(word: word) else {
      let names = OutputFormat.allCases.map(\.rawValue).joined(separator: ", ")
      throw Problem(400, "format: one of \(names)", field: "format")
    }
    let query = Array(JSONTree.object(members.filter { !$0.name.hasBytes(of: "format") }).text.utf8)
    let request: QueryRequest
    // A broken query is told here: where the address leads nobody reads.
    do throws(StoreError) {
      request = try QueryRequest(json: query, filter: principal.filter, registry: services.registry) {
        _, _ in nil
      }
      try AnswerForm(format).check(request)
    } catch { throw Problem(error) }
    let caller = try callers.caller(call.head)
    let waiting = PageDownloads.Waiting(
      caller: caller, tenant: principal.tenant, body: query, form: AnswerForm(format),
      fileName: "cordwood-\(request.dataset.name).\(format.rawValue)")
    guard let token = downloads.add(waiting) else {
      throw Problem(
        429, "Too many downloads wait to be fetched.", retryAfterSeconds: PageDownloads.seconds)
    }
    return HTTPAnswer.object(.created) { $0.member("path", "/ui/v1/downloads/" + token) }.ofPage
  }

  private static func tree(_ body: [UInt8]) throws(Problem) -> JSONTree {
    do throws(JSONTree.SyntaxError) { return try JSONTree(parsing: body) } catch {
      throw Problem(400, "The body is not JSON: \(error.reason)", byte: error.offsetBytes)
    }
  }

  /// What the caller may see is decided now, not when the address was made.
  private func download(
    _ call: HTTPCall, _ principal: Principal, through stream: any AnswerStream
  ) async throws(Problem) -> EndpointOutcome {
    let caller = try callers.caller(call.head)
    guard let found = downloads.take(call.parameters["token"], for: caller) else {
      throw Problem(404, "Nothing waits here: an address is good once, for a minute, for who asked for it.")
    }
    guard let own = access.rights.principal(of: caller, for: found.tenant), own.allows(.read) else {
      throw Problem(403, "The records are not yours to see any more.")
    }
    let narrowed = try await callers.narrowed(own, of: caller)
    let chunks: any AnswerChunks
    do throws(StoreError) {
      chunks = try await queries.start(found.body, principal: narrowed, form: found.form)
    } catch { throw Problem(error) }
    let name = (name: "Content-Disposition", value: "attachment; filename=\"\(found.fileName)\"")
    return try await chunks.send(
      contentType: found.form.format.mediaType, isStreamed: true, headers: [name],
      through: PageStream(stream))
  }
}
