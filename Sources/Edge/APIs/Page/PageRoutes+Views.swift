import Access
import Codecs
import Records
import Routing

/// Views and boards that were saved on the page: everybody's who reads the tenant's records.
extension PageRoutes {
  /// Of a view with all that is around it.
  private static let viewBytesMax = 64 << 10

  var viewRoutes: [Route] {
    let name = RouteParameter.path("name", JSONSchema.text, "The view's name")
    return [
      Route(.get, "/ui/v1/views", "The tenant's saved views and boards", .answer(listViews))
        .needing(.read).taking(PageCallers.fields),
      Route(.get, "/ui/v1/views/{name}", "A saved view or board", .answer(getView))
        .needing(.read).taking(name).taking(PageCallers.fields),
      Route(.put, "/ui/v1/views/{name}", "Saves a view or a board", .answer(saveView))
        .needing(.read).taking(name).taking(PageCallers.fields)
        .taking(
          .json(
            JSONSchema.object(
              [("kind", JSONSchema.choice(SavedView.Kind.allCases.map(\.rawValue))), ("value", "{}")],
              required: ["kind", "value"]),
            #"{"kind":"view","value":{"dataset":"logs","q":"level = 'ERROR'"}}"#,
            bytesMax: PageRoutes.viewBytesMax)
        ).answering(204).failing(with: 409, 413, 507),
      Route(.delete, "/ui/v1/views/{name}", "Removes a saved view or board", .answer(removeView))
        .needing(.read).taking(name).taking(PageCallers.fields).answering(204),
    ]
  }

  /// Where the caller's views are.
  private func scope(_ call: HTTPCall, _ principal: Principal) throws(Problem) -> ViewScope {
    let owner = access.rights.owner(principal, of: try callers.caller(call.head))
    return ViewScope(tenant: principal.tenant, userID: owner)
  }

  private func views(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> [SavedView] {
    let scope = try scope(call, principal)
    do throws(AccessError) { return try await access.views.views(in: scope) } catch {
      throw Problem(page: error)
    }
  }

  private static func write(_ view: SavedView, to text: inout JSONWriter) {
    text.member("name", view.name)
    text.member("kind", view.kind.rawValue)
    text.name("value")
    text.raw(Array(view.value.utf8))
  }

  private func listViews(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let views = try await views(call, principal)
    return HTTPAnswer.object { text in
      text.name("views")
      text.list(views) { PageRoutes.write($1, to: &$0) }
    }.ofPage
  }

  private func getView(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let name = call.parameters["name"]
    guard let view = try await views(call, principal).first(where: { $0.name.hasBytes(of: name) }) else {
      throw Problem(page: .noView)
    }
    return HTTPAnswer.object { PageRoutes.write(view, to: &$0) }.ofPage
  }

  private func saveView(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let scope = try scope(call, principal)
    let tree = try ControlBody.object(call.body, taking: "kind", "value")
    guard let word = tree["kind"]?.string, let kind = SavedView.Kind(word: word) else {
      throw Problem(400, "kind: view or board", field: "kind")
    }
    guard let value = tree["value"] else { throw Problem(400, "value: what is saved", field: "value") }
    do throws(AccessError) {
      let view = SavedView(name: call.parameters["name"], kind: kind, value: value.text)
      try view.check()
      try await access.views.save(view, in: scope, limits: ViewLimits())
    } catch { throw Problem(page: error) }
    return PageRoutes.done
  }

  private func removeView(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let scope = try scope(call, principal)
    do throws(AccessError) { try await access.views.removeView(call.parameters["name"], in: scope) } catch {
      throw Problem(page: error)
    }
    return PageRoutes.done
  }

  private static let done = HTTPAnswer(204, contentType: "application/json", body: []).ofPage
}
