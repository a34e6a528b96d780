import Access
import Records
import TestKit
import Testing

/// Who gets in by way of the page, for how long, and to what.
@Suite struct PageSignInTests {
  @Test func aSignInOpensThePageAndNothingElse() async throws {
    try await withPage { bench in
      let answer = try await bench.ask("POST", "/ui/v1/login", body: #"{"name":"ada","password":"pw"}"#)
      #expect(answer.status == 200)
      #expect(
        answer.text
          == #"{"kind":"user","name":"ada","administrator":false,"version":"test","tenants":["#
          + #"{"name":"sessions/sessions","role":"user","datasets":["sessions"]}]}"#
      )
      let field = try #require(answer.headers["set-cookie"])
      #expect(field.hasPrefix("cordwood_page="))
      #expect(field.hasSuffix("; Path=/ui/; Max-Age=144000; HttpOnly; SameSite=Strict"))
      #expect(answer.headers["cache-control"] == "no-store")
      let cookie = try await bench.signIn("ada")
      #expect(cookie.utf8.count == 43)
      #expect(try await bench.ask("GET", "/ui/v1/me", cookie).text == answer.text)
      // Neither the cookie nor its value opens what is not the page's.
      for (method, path) in [("GET", "/api/containers"), ("GET", "/api/users"), ("POST", "/v1/query")] {
        for value in ["Bearer \(cookie)", "Bearer page \(cookie)", "Bearer page%20\(cookie)"] {
          let fields = [("Authorization", value), ("Cordwood-Page", "1")]
          #expect(
            try await bench.ask(method, path, cookie, body: "{}", fields: fields).status == 401,
            "\(path) \(value)")
        }
        #expect(try await bench.ask(method, path, cookie, body: "{}").status == 401, "\(path)")
      }
      // Nor what opens others the page.
      let token = try await bench.accounts.login(name: "ada", password: "pw", address: "10.0.0.1").token
      for (name, value) in [
        ("Cookie", "cordwood_page=\(token)"), ("Authorization", "Bearer \(token)"),
        ("Authorization", "Bearer \(PageBench.adminKey)"), ("Cookie", "cordwood_page=\(PageBench.adminKey)"),
        ("Cookie", "Cordwood_Page=\(cookie)"), ("Cookie", "cordwood_page=\(cookie)x"),
        ("Cookie", "cordwood_page=page \(cookie)"), ("Cookie", "=; ;cordwood_page"),
      ] {
        let fields = [("Cordwood-Page", "1"), (name, value)]
        #expect(try await bench.ask("GET", "/ui/v1/me", fields: fields).status == 401, "\(name) \(value)")
      }
      #expect(bench.log.events.allSatisfy { $0.subject?.contains(cookie) != true })
    }
  }

  @Test func nothingIsAnsweredWithoutThePagesField() async throws {
    try await withPage { bench in
      let cookie = try await bench.signIn("root")
      for (method, path) in [
        ("GET", "/ui/v1/me"), ("POST", "/ui/v1/login"), ("POST", "/ui/v1/logout"), ("POST", "/ui/v1/query"),
        ("POST", "/ui/v1/delete"), ("GET", "/ui/v1/tail/logs"), ("GET", "/ui/v1/views"),
        ("PUT", "/ui/v1/views/a"), ("POST", "/ui/v1/downloads"), ("GET", "/ui/v1/users"),
        ("POST", "/ui/v1/keys"), ("PUT", "/ui/v1/grants/ada"), ("GET", "/ui/v1/status"),
      ] {
        for fields in [[], [("Cordwood-Page", "2")], [("Cordwood-Page", "")], [("X-Cordwood-Page", "1")]] {
          let answer = try await bench.ask(method, path, cookie, body: "{}", fields: fields)
          #expect(answer.status == 403, "\(method) \(path)")
          #expect(answer.headers["set-cookie"] == nil)
        }
      }
      #expect(try await bench.ask("GET", "/ui/v1/me", cookie).status == 200, "nothing was signed out")
      // A page of another origin may not even ask whether it may.
      let preflight = try await bench.ask(
        "OPTIONS", "/ui/v1/me",
        fields: [("Origin", "https://evil.example"), ("Access-Control-Request-Headers", "cordwood-page")])
      #expect(preflight.status == 405 && !preflight.headers.keys.contains { $0.hasPrefix("access-control") })
      #expect(bench.log.events.contains { $0.outcome == .refused("page_field") })
    }
  }

  @Test func aSignInEnds() async throws {
    try await withPage { bench in
      func status(_ cookie: String) async throws -> Int {
        try await bench.ask("GET", "/ui/v1/me", cookie).status
      }
      let gone = try await bench.signIn("ada")
      let answer = try await bench.ask("POST", "/ui/v1/logout", gone)
      #expect(answer.status == 204 && answer.headers["set-cookie"]?.contains("Max-Age=0") == true)
      #expect(try await status(gone) == 401, "signed out")
      #expect(try await bench.ask("POST", "/ui/v1/logout").status == 204, "nobody has nothing to end")
      let old = try await bench.signIn("ada")
      let kept = try await bench.signIn("bob")
      try await bench.accounts.setPassword(name: "ada", "other")
      #expect(try await status(old) == 401, "another password")
      #expect(try await status(kept) == 200)
      // Used now and then it lasts as long as a token may.
      for _ in 0..<4 {
        bench.clock.advance(seconds: 9 * 3600)
        #expect(try await status(kept) == 200)
      }
      bench.clock.advance(seconds: 4 * 3600)
      #expect(try await status(kept) == 401, "auth.token_hours")
      let idle = try await bench.signIn("bob")
      bench.clock.advance(seconds: 12 * 3600 - 1)
      #expect(try await status(idle) == 200)
      bench.clock.advance(seconds: 12 * 3600)
      #expect(try await status(idle) == 401, "12 idle hours")
      bench.clock.advance(seconds: -6 * 3600)
      #expect(try await status(idle) == 401, "a clock that is set back brings nothing to life")
    }
  }

  @Test func aKeySignsInForItsTenant() async throws {
    try await withPage { bench in
      let cookie = try await bench.signIn(key: PageBench.readerKey)
      let me = try await bench.ask("GET", "/ui/v1/me", cookie)
      #expect(
        me.text
          == #"{"kind":"key","name":"r","administrator":false,"version":"test","tenants":["#
          + #"{"name":"native/shop","role":"reader","datasets":["logs"]}]}"#
      )
      #expect(try await bench.ask("POST", "/ui/v1/query", cookie, body: "{}").status == 200)
      #expect(bench.queries.last?.principal.tenant.description == "native/shop")
      #expect(
        try await bench.ask("POST", "/ui/v1/delete", cookie, body: #"{"dataset":"logs","where":{"and":[]}}"#)
          .status == 403)
      // Rights over the server that a key has are for the server's own routes.
      let operated = try await bench.signIn(key: PageBench.adminKey)
      #expect(try await bench.ask("GET", "/ui/v1/users", operated).status == 403)
      for body in [
        #"{"key":"nobody-0123456789"}"#, #"{"name":"ada","password":"no"}"#, #"{"name":"","password":""}"#,
        #"{"key":""}"#,
      ] {
        let answer = try await bench.ask("POST", "/ui/v1/login", body: body)
        #expect(answer.status == 401 && answer.headers["set-cookie"] == nil, "\(body)")
      }
      for body in [
        "{}", "[]", "x", #"{"name":"ada"}"#, #"{"name":1,"password":2}"#, #"{"key":1}"#,
        #"{"key":"k","name":"ada","password":"pw"}"#, #"{"name":"ada","password":"pw","more":1}"#,
        #"{"name":"ada","name":"bob","password":"pw"}"#,
      ] {
        #expect(try await bench.ask("POST", "/ui/v1/login", body: body).status == 400, "\(body)")
      }
      let long = #"{"name":"ada","password":"\#(String(repeating: "p", count: 5_000))"}"#
      #expect(try await bench.ask("POST", "/ui/v1/login", body: long).status == 413)
    }
  }

  @Test func failuresAreBounded() async throws {
    try await withPage { bench in
      for body in [#"{"name":"ada","password":"no"}"#, #"{"key":"nobody-0123456789"}"#] {
        for _ in 0..<10 { #expect(try await bench.ask("POST", "/ui/v1/login", body: body).status == 401) }
        let answer = try await bench.ask("POST", "/ui/v1/login", body: body)
        #expect(answer.status == 429 && answer.headers["retry-after"] == "60", "\(body)")
      }
      let right = #"{"name":"ada","password":"pw"}"#
      #expect(try await bench.ask("POST", "/ui/v1/login", body: right).status == 429)
      #expect(
        try await bench.ask("POST", "/ui/v1/login", body: right.replacing("ada", with: "bob")).status == 200)
      bench.clock.advance(seconds: 61)
      #expect(try await bench.ask("POST", "/ui/v1/login", body: right).status == 200)
      let logins = bench.log.events.filter { $0.kind == .login }
      #expect(logins.contains { $0.outcome == .refused("throttled") && $0.subject == "ada" })
      #expect(logins.allSatisfy { $0.subject?.contains("0123456789") != true }, "no key is in the log")
    }
  }

  @Test func overTLSTheCookieGoesOverNothingElse() async throws {
    try await withPage(isSecure: true) { bench in
      let answer = try await bench.ask("POST", "/ui/v1/login", body: #"{"name":"ada","password":"pw"}"#)
      #expect(answer.headers["set-cookie"]?.hasSuffix("; SameSite=Strict; Secure") == true)
    }
  }

  @Test func inOpenDevelopmentNobodySignsIn() async throws {
    try await withPage(isOpen: true) { bench in
      let me = try await bench.ask("GET", "/ui/v1/me")
      #expect(
        me.text
          == #"{"kind":"open","name":null,"administrator":false,"version":"test","tenants":["#
          + #"{"name":"native/default","role":"admin","datasets":["logs"]}]}"#
      )
      #expect(try await bench.ask("POST", "/ui/v1/query", body: "{}").status == 200)
      #expect(bench.queries.last?.principal.tenant.description == "native/default")
      #expect(try await bench.ask("GET", "/ui/v1/users").status == 403, "root has a password of its own")
      #expect(try await bench.ask("POST", "/ui/v1/query", tenant: "native/shop", body: "{}").status == 403)
      #expect(try await bench.ask("GET", "/ui/v1/me", fields: []).status == 403)
      for origin in ["https://evil.example", "null", "http://127.0.0.1.evil"] {
        let fields = [("Cordwood-Page", "1"), ("Origin", origin)]
        #expect(try await bench.ask("POST", "/ui/v1/query", body: "{}", fields: fields).status == 403)
      }
      // Who signs in all the same is who they say.
      let cookie = try await bench.signIn("root")
      #expect(try await bench.ask("GET", "/ui/v1/users", cookie).status == 200)
    }
    try await withPage(isOpen: true, hasDefaultAdministrator: true) { bench in
      let me = try await bench.ask("GET", "/ui/v1/me").text
      #expect(me.contains(#""administrator":true"#) && me.contains("sessions/sessions"))
      #expect(try await bench.ask("GET", "/ui/v1/users").status == 200, "everybody could sign in as root")
    }
  }
}
