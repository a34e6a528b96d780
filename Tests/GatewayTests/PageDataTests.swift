import Access
import Foundation
import Records
import Synchronization
import TestKit
import Testing

/// Whose records are seen by way of the page, and what only the page has.
@Suite struct PageDataTests {
  private static let query = #"{"dataset":"logs"}"#

  private static func names(_ me: WireAnswer) throws -> [String] {
    let object = try JSONSerialization.jsonObject(with: Data(me.body)) as? [String: Any]
    return (object?["tenants"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
  }

  @Test func tenantsNeverMix() async throws {
    try await withPage { bench in
      let shop = Tenant(realm: .native, name: "shop")
      let odd = Tenant(realm: .audit, name: "a/b ü%")
      try await bench.grants.set(
        [Grant(tenant: odd, role: .reader), Grant(tenant: shop, role: .reader)], of: "ada")
      let (ada, bob) = (try await bench.signIn("ada"), try await bench.signIn("bob"))
      #expect(
        try PageDataTests.names(try await bench.ask("GET", "/ui/v1/me", ada))
          == ["native/shop", "audit/a/b ü%", "sessions/sessions"])
      func ask(_ cookie: String, _ tenant: String?) async throws -> Int {
        try await bench.ask("POST", "/ui/v1/query", cookie, tenant: tenant, body: PageDataTests.query).status
      }
      for tenant in [nil, "native/shop"] {
        #expect(try await ask(ada, tenant) == 200)
        #expect(bench.queries.last?.principal.tenant == shop)
      }
      #expect(try await ask(ada, "audit/a%2Fb%20%C3%BC%25") == 200)
      #expect(bench.queries.last?.principal.tenant == odd && bench.queries.last?.principal.filter == .all)
      let count = bench.queries.asked.count
      for tenant in [
        "native/other", "native/SHOP", "native/", "native", "/shop", "audit/shop", "none/shop",
        "native/shop%00", "native/s%CC%81hop", "", "native/" + String(repeating: "x", count: 600),
      ] {
        #expect(try await ask(ada, tenant) == 403, "\(tenant)")
      }
      for tenant in ["native/shop", "audit/a%2Fb%20%C3%BC%25", "native/default"] {
        #expect(try await ask(bob, tenant) == 403, "\(tenant)")
      }
      for tenant in ["native/%zz", "native/%ff"] { #expect(try await ask(ada, tenant) == 400) }
      let twice = [
        ("Cordwood-Page", "1"), ("Cordwood-Tenant", "native/shop"), ("Cordwood-Tenant", "audit/x"),
      ]
      #expect(
        try await bench.ask("POST", "/ui/v1/query", ada, body: PageDataTests.query, fields: twice).status
          == 400)
      #expect(bench.queries.asked.count == count, "nobody else's records were asked for")
      try await bench.grants.take(shop, from: "ada")
      #expect(try await ask(ada, "native/shop") == 403, "at once")
    }
  }

  /// Of the tenant that all users share everybody sees what is in their own containers.
  @Test func ofTheUsersTenantOneSeesTheOwnRecords() async throws {
    try await withPage { bench in
      for user in ["ada", "bob"] { try await bench.catalog.createContainer("box-\(user)", owner: user) }
      let (ada, root) = (try await bench.signIn("ada"), try await bench.signIn("root"))
      func filter(_ cookie: String) async throws -> Records.Predicate? {
        let answer = try await bench.ask(
          "POST", "/ui/v1/query", cookie, tenant: "sessions/sessions", body: #"{"dataset":"sessions"}"#)
        #expect(answer.status == 200)
        return bench.queries.last?.principal.filter
      }
      guard case .isIn(let column, let values)? = try await filter(ada), case .string(let box)? = values.first
      else {
        Issue.record("all records are seen")
        return
      }
      #expect(column == ColumnPath("container") && values.count == 1 && box.hasPrefix("box-ada~"))
      #expect(try await filter(root) == .all, "an administrator sees all")
      #expect(
        try await bench.ask(
          "POST", "/ui/v1/delete", ada, tenant: "sessions/sessions",
          body: #"{"dataset":"sessions","where":{"and":[]}}"#
        ).status == 403)
      // What is saved there is as private.
      let view = #"{"kind":"view","value":1}"#
      #expect(try await bench.ask("PUT", "/ui/v1/views/mine", ada, body: view).status == 204)
      let bob = try await bench.signIn("bob")
      #expect(try await bench.ask("GET", "/ui/v1/views", bob).text == #"{"views":[]}"#)
      #expect(try await bench.ask("DELETE", "/ui/v1/views/mine", bob).status == 404)
      #expect(try await bench.ask("GET", "/ui/v1/views/mine", ada).status == 200)
      // Who was granted the tenant sees all of it.
      try await bench.grants.give(
        Grant(tenant: Tenant(realm: .sessions, name: "sessions"), role: .reader), to: "ada")
      #expect(try await filter(ada) == .all)
    }
  }

  @Test func nativeRoutesAreThereButThoseThatWrite() async throws {
    try await withPage { bench in
      try await bench.grants.set(
        [
          Grant(tenant: Tenant(realm: .native, name: "shop"), role: .admin),
          Grant(tenant: Tenant(realm: .native, name: "logs"), role: .writer),
        ], of: "ada")
      let ada = try await bench.signIn("ada")
      #expect(try await bench.ask("POST", "/ui/v1/records/logs", ada, body: "{}").status == 404)
      let delete = #"{"dataset":"logs","where":{"eq":["service","a"]}}"#
      #expect(
        try await bench.ask("POST", "/ui/v1/delete", ada, body: delete).status == 400, "of which tenant?")
      #expect(
        try await bench.ask("POST", "/ui/v1/delete", ada, tenant: "native/shop", body: delete).text
          == #"{"deleted":3}"#)
      #expect(
        bench.store.state.withLock { $0.deletions.map(\.0.tenant.description) } == ["native/shop"])
      #expect(
        try await bench.ask("POST", "/ui/v1/query", ada, tenant: "native/logs", body: "{}").status == 403,
        "who only writes reads nothing")
      let stream = try await bench.ask("POST", "/ui/v1/query", ada, tenant: "native/shop", body: "{}")
      #expect(stream.text == "[1,2]" && stream.headers["cache-control"] == "no-store")
      // A live stream is let in by the cookie alone, and wants a form.
      #expect(
        try await bench.ask("GET", "/ui/v1/tail/logs", ada, tenant: "native/shop").status == 426)
      #expect(try await bench.ask("GET", "/ui/v1/tail/logs", tenant: "native/shop").status == 401)
      #expect(try await bench.ask("GET", "/ui/v1/tail/logs", ada, tenant: "native/logs").status == 403)
    }
  }

  @Test func grantsAreAdministrators() async throws {
    try await withPage { bench in
      let (root, ada) = (try await bench.signIn("root"), try await bench.signIn("ada"))
      for (method, path) in [
        ("GET", "/ui/v1/grants"), ("PUT", "/ui/v1/grants/ada"), ("GET", "/ui/v1/users"),
        ("POST", "/ui/v1/users"), ("GET", "/ui/v1/keys"), ("POST", "/ui/v1/keys"),
        ("DELETE", "/ui/v1/keys/native/x"),
      ] {
        let body = method == "GET" || method == "DELETE" ? "" : "{}"
        #expect(try await bench.ask(method, path, ada, body: body).status == 403, "\(method) \(path)")
      }
      let body = #"{"grants":[{"tenant":"native/shop","role":"reader"},{"tenant":"audit/x","role":"admin"}]}"#
      let set = try await bench.ask("PUT", "/ui/v1/grants/ada", root, body: body)
      #expect(
        set.text
          == #"{"user":"ada","grants":[{"tenant":"native/shop","role":"reader"},"#
          + #"{"tenant":"audit/x","role":"admin"}]}"#
      )
      #expect(
        try await bench.ask("GET", "/ui/v1/grants", root).text == #"{"users":["# + set.text + "]}")
      #expect(
        bench.log.events.contains {
          $0.kind == .grantsChanged && $0.outcome == .granted && $0.subject == "root"
        })
      for broken in [
        "{}", #"{"grants":1}"#, #"{"grants":[1]}"#, #"{"grants":[{"tenant":"native/shop"}]}"#,
        #"{"grants":[{"tenant":"shop","role":"reader"}]}"#, #"{"grants":[{"tenant":"x/y","role":"reader"}]}"#,
        #"{"grants":[{"tenant":"native/shop","role":"auditor"}]}"#,
        #"{"grants":[{"tenant":"native/a\u202eb","role":"reader"}]}"#,
        #"{"grants":[{"tenant":"native/shop","role":"reader"},{"tenant":"native/shop","role":"user"}]}"#,
        #"{"grants":[{"tenant":"native/shop","role":"reader","more":1}]}"#,
      ] {
        #expect(
          try await bench.ask("PUT", "/ui/v1/grants/ada", root, body: broken).status == 400, "\(broken)")
      }
      for nobody in ["nobody", "%00", "a%CC%81da", "ADA"] {
        #expect(
          try await bench.ask("PUT", "/ui/v1/grants/\(nobody)", root, body: body).status == 404, "\(nobody)")
      }
      #expect(try await bench.ask("GET", "/ui/v1/grants", root).text.contains("audit/x"), "nothing changed")
      let made = try await bench.ask(
        "POST", "/ui/v1/users", root, body: #"{"username":"eve","password":"correct-horse"}"#)
      #expect(made.status == 201)
      #expect(try await bench.ask("GET", "/ui/v1/users", root).text.contains(#""user_id":"eve""#))
      let key = try await bench.ask(
        "POST", "/ui/v1/keys", root, body: #"{"name":"ci","realm":"native","tenant":"shop"}"#)
      #expect(key.status == 201 && key.headers["cache-control"] == "no-store")
      #expect(try await bench.ask("DELETE", "/ui/v1/keys/native/ci", root).status == 200)
    }
  }

  @Test func viewsAreTheTenantsAndBounded() async throws {
    try await withPage { bench in
      try await bench.grants.set(
        [Grant(tenant: Tenant(realm: .native, name: "shop"), role: .reader)], of: "ada")
      let (ada, key) = (try await bench.signIn("ada"), try await bench.signIn(key: PageBench.readerKey))
      let value = #"{"q":"</script>\u202e","n":9007199254740993,"__proto__":[null,true,1.5]}"#
      func put(_ name: String, _ body: String) async throws -> Int {
        try await bench.ask("PUT", "/ui/v1/views/\(name)", ada, body: body).status
      }
      #expect(try await put("errors%2F%C3%BC%20%3Cb%3E", #"{"kind":"view","value":\#(value)}"#) == 204)
      #expect(try await put("a", #"{"kind":"board","value":[]}"#) == 204)
      #expect(try await put("a", #"{"kind":"view","value":"x"}"#) == 204, "in its place")
      let list = try await bench.ask("GET", "/ui/v1/views", key)
      #expect(list.text.contains(#"{"name":"a","kind":"view","value":"x"}"#), "the tenant's who reads it")
      #expect(list.text.contains(#""n":9007199254740993"#) && list.text.contains("errors/ü <b>"))
      for name in [
        "%0A", "a%E2%80%AEb", "%20a", "a%CC%81", ".", "..", "%00", String(repeating: "x", count: 256),
      ] {
        let status = try await put(name, #"{"kind":"view","value":1}"#)
        #expect(status == 400 || status == 404, "\(name) \(status)")
      }
      for body in [
        "{}", #"{"kind":"other","value":1}"#, #"{"kind":"view"}"#, #"{"kind":"view","value":}"#,
        #"{"kind":"view","value":1,"more":1}"#,
        #"{"kind":"view","value":\#(String(repeating: "[", count: 99))"#,
      ] {
        #expect(try await put("b", body) == 400, "\(body.prefix(50))")
      }
      let long = #"{"kind":"view","value":"\#(String(repeating: "x", count: 65_600))"}"#
      #expect(try await put("b", long) == 413)
      var limits = ViewLimits()
      limits.countMax = 3
      let scope = ViewScope(tenant: Tenant(realm: .native, name: "shop"))
      try await bench.database.views.save(
        SavedView(name: "c", kind: .view, value: "1"), in: scope, limits: limits)
      await #expect(throws: AccessError.self) {
        try await bench.database.views.save(
          SavedView(name: "d", kind: .view, value: "1"), in: scope, limits: limits)
      }
      #expect(try await bench.ask("DELETE", "/ui/v1/views/a", ada).status == 204)
      #expect(try await bench.ask("DELETE", "/ui/v1/views/a", ada).status == 404)
      #expect(try await bench.ask("GET", "/ui/v1/views/a", ada).status == 404)
    }
  }

  /// Of the ingest API: the page's administrators need no token of it.
  @Test func administratorsHaveLettersAndTheMaskingTest() async throws {
    try await withPage { bench in
      let root = try await bench.signIn("root")
      var others = [try await bench.signIn("ada")]
      for key in [PageBench.adminKey, PageBench.readerKey] { others.append(try await bench.signIn(key: key)) }
      let asked = [
        ("GET", "deadletters", "", 500), ("POST", "deadletters/replay", #"{"all":true}"#, 503),
        ("POST", "deadletters/drop", #"{"ids":[1]}"#, 200), ("POST", "deadletters/drop", "{}", 422),
        ("POST", "masking:test", #"{"entry":{"a":1}}"#, 422),
      ]
      for (method, path, body, status) in asked {
        let answer = try await bench.ask(method, "/ui/v1/admin/\(path)", root, body: body)
        #expect(answer.status == status, "\(path): \(answer.text)")
        #expect(!answer.text.contains("/secret/path"))
        for cookie in others {
          #expect(try await bench.ask(method, "/ui/v1/admin/\(path)", cookie, body: body).status == 403)
        }
        #expect(try await bench.ask(method, "/ui/v1/admin/\(path)", nil, body: body).status == 401)
      }
      #expect(
        try await bench.ask("POST", "/ui/v1/admin/deadletters/drop", root, body: #"{"all":true}"#).text
          == #"{"dropped":3}"#)
    }
  }

  @Test func statusTellsAdministratorsMore() async throws {
    try await withPage { bench in
      let ada = try await bench.ask("GET", "/ui/v1/status", try await bench.signIn("ada"))
      #expect(
        ada.text
          == #"{"version":"test","uptime_seconds":0,"ready":true,"checks":[{"name":"wal","ok":true}]}"#)
      let root = try await bench.ask("GET", "/ui/v1/status", try await bench.signIn("root"))
      #expect(root.text.contains(#""head":{"rows":0,"bytes":0},"blocks":0,"retention""#))
      #expect(
        root.text.contains(#""retention":{"audit_seconds":0,"logs_seconds":86400},"forwarding":null"#))
      #expect(root.text.contains(#""detail":"m""#))
      // Who may not read the query log is told what who asks for nothing is told.
      let verify = "/ui/v1/verify?id=01890000-0000-7000-8000-000000000000"
      #expect(try await bench.ask("GET", verify, try await bench.signIn("ada")).status == 404)
      #expect(try await bench.ask("GET", "/ui/v1/verify?id=x", try await bench.signIn("root")).status == 404)
      #expect(try await bench.ask("GET", "/ui/v1/verify", try await bench.signIn("root")).status == 400)
    }
  }
}
