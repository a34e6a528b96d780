import Access
import Records
import Routing

/// API keys of the other APIs, for administrators.
extension SessionsRoutes {
  var keyRoutes: [Route] {
    let realms = JSONSchema.choice(KeyStore.realms.map(\.name))
    return [
      Route(.get, "/api/keys", "API keys, for administrators", .answer(listKeys))
        .needing(.administer).failing(with: 403),
      Route(.post, "/api/keys", "Makes an API key, shown once; for administrators", .answer(createKey))
        .needing(.administer)
        .taking(
          SessionsRoutes.body(
            JSONSchema.object(
              [
                ("name", JSONSchema.text), ("realm", realms), ("tenant", JSONSchema.text),
                ("role", JSONSchema.choice("reader", "writer", "user", "admin")),
              ], required: ["name", "realm", "tenant"]),
            #"{"name":"ci","realm":"workflow","tenant":"client_1"}"#)
        ).answering(201).failing(with: 403, 409).mixingSecrets,
      Route(
        .delete, "/api/keys/{realm}/{name}", "Ends an API key, for administrators", .answer(revokeKey)
      )
      .needing(.administer)
      .taking(.path("realm", realms, "The key's realm"), .path("name", JSONSchema.text, "The key's name"))
      .failing(with: 403),
    ]
  }

  private func listKeys(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    SessionsResponses.keys(keys.keys())
  }

  private func createKey(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let request = try NewKeyRequest(call.body)
    return try await recorded(call, .keyCreated, subject: principal.subject) {
      () throws(AccessError) in
      let key = try await keys.create(
        realm: request.realm, name: request.name, tenant: request.tenant, role: request.role)
      return SessionsResponses.keyCreated(key, request)
    }
  }

  private func revokeKey(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let name = call.parameters["name"]
    guard let realm = KeyStore.realms.first(where: { $0.name.hasBytes(of: call.parameters["realm"]) }) else {
      throw Problem(404, "API key not found")
    }
    return try await recorded(call, .keyRevoked, subject: principal.subject) { () throws(AccessError) in
      try await keys.revoke(name: name, realm: realm)
      return SessionsResponses.message("API key revoked successfully")
    }
  }
}
