import Access
import Codecs
import Records
import Routing

/// What users may see and do on the page, for administrators.
extension PageRoutes {
  private static let grant = JSONSchema.object(
    [
      ("tenant", JSONSchema.text), ("role", JSONSchema.choice(Role.ofKeys.map(\.rawValue))),
    ], required: ["tenant", "role"])

  var grantRoutes: [Route] {
    [
      Route(.get, "/ui/v1/grants", "What users may do with whose records, for administrators", .answer(list))
        .needing(.operate).taking(PageCallers.fields[0]),
      Route(
        .put, "/ui/v1/grants/{user}", "Gives a user these grants and no others, for administrators",
        .answer(setGrants)
      )
      .needing(.operate)
      .taking(.path("user", JSONSchema.text, "The user's name"), PageCallers.fields[0])
      .taking(
        .json(
          JSONSchema.object([("grants", JSONSchema.array(PageRoutes.grant))], required: ["grants"]),
          #"{"grants":[{"tenant":"native/shop","role":"reader"}]}"#)),
    ]
  }

  private func list(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    HTTPAnswer.object { text in
      text.name("users")
      text.list(access.grants.all()) { text, entry in
        PageRoutes.write(entry.user, entry.grants, to: &text)
      }
    }.ofPage
  }

  private static func write(_ user: String, _ grants: [Grant], to text: inout JSONWriter) {
    text.member("user", user)
    text.name("grants")
    text.list(grants) { text, grant in
      text.member("tenant", grant.tenant.description)
      text.member("role", grant.role.rawValue)
    }
  }

  private func setGrants(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let grants = try PageRoutes.grants(call.body)
    let user = call.parameters["user"]
    return try await recorded(call, .grantsChanged, subject: principal.subject) { () throws(AccessError) in
      try await access.grants.set(grants, of: user)
      return HTTPAnswer.object {
        PageRoutes.write(user, grants.sorted(by: Grant.precedes), to: &$0)
      }.ofPage
    }
  }

  private static func grants(_ body: [UInt8]) throws(Problem) -> [Grant] {
    guard case .array(let items)? = try ControlBody.object(body, taking: "grants")["grants"] else {
      throw Problem(400, "grants: a list of {\"tenant\", \"role\"}", field: "grants")
    }
    var grants: [Grant] = []
    for item in items {
      guard case .object(let members) = item else {
        throw Problem(400, "grants: a list of {\"tenant\", \"role\"}", field: "grants")
      }
      if let slip = Slip.first(of: members, among: ["tenant", "role"]) {
        throw slip.problem(in: .body, errors: .problemDetails)
      }
      guard let tenant = item["tenant"]?.string, let word = item["role"]?.string,
        let role = Role.ofKeys.first(where: { $0.rawValue.hasBytes(of: word) })
      else {
        let roles = Role.ofKeys.map(\.rawValue).joined(separator: ", ")
        throw Problem(400, "A grant has a tenant and a role, one of \(roles).", field: "grants")
      }
      do throws(AccessError) {
        grants.append(Grant(tenant: try GrantDirectory.tenant(tenant), role: role))
      } catch { throw Problem(access: error) }
    }
    return grants
  }
}
