import Access
import Records
import TestKit
import Testing

@testable import APIs

/// Answers that the browser fetches by itself: once, soon, and for who asked.
@Suite struct PageDownloadTests {
  private static let body = #"{"dataset":"logs","format":"csv","limit":5}"#

  private static func path(_ answer: WireAnswer) throws -> String {
    guard answer.status == 201, let start = answer.text.firstRange(of: "/ui/v1/downloads/") else {
      throw WireError.malformed("\(answer.status) \(answer.text)")
    }
    return String(answer.text[start.lowerBound...].dropLast(2))
  }

  @Test func anAddressIsGoodOnce() async throws {
    try await withPage { bench in
      let (key, root) = (try await bench.signIn(key: PageBench.readerKey), try await bench.signIn("root"))
      func prepare() async throws -> String {
        try PageDownloadTests.path(
          try await bench.ask("POST", "/ui/v1/downloads", key, body: PageDownloadTests.body))
      }
      let path = try await prepare()
      #expect(path.utf8.count == "/ui/v1/downloads/".utf8.count + 43)
      // Another user's cookie, and none: neither gets it nor ends it.
      #expect(try await bench.ask("GET", path, root, fields: []).status == 404)
      #expect(try await bench.ask("GET", path, fields: []).status == 401)
      #expect(bench.queries.asked.isEmpty)
      // By navigation: no field of the page's.
      let file = try await bench.ask("GET", path, key, fields: [])
      #expect(file.status == 200 && file.text == "[1,2]" && file.isComplete)
      #expect(file.headers["content-disposition"] == #"attachment; filename="cordwood-logs.csv""#)
      #expect(file.headers["content-type"] == "text/csv" && file.headers["cache-control"] == "no-store")
      #expect(file.headers["x-content-type-options"] == "nosniff")
      let asked = try #require(bench.queries.last)
      #expect(asked.principal.tenant.description == "native/shop" && !asked.body.contains("format"))
      #expect(try await bench.ask("GET", path, key, fields: []).status == 404, "once")
      let late = try await prepare()
      bench.clock.advance(seconds: 60)
      #expect(try await bench.ask("GET", late, key, fields: []).status == 404, "a minute")
      let fresh = try await prepare()
      bench.clock.advance(seconds: 59)
      #expect(try await bench.ask("GET", fresh, key, fields: []).status == 200)
      let orphan = try await prepare()
      #expect(try await bench.ask("POST", "/ui/v1/logout", key).status == 204)
      #expect(try await bench.ask("GET", orphan, key, fields: []).status == 401, "signed out")
    }
  }

  @Test func whatMayBeSeenIsDecidedWhenItIsFetched() async throws {
    try await withPage { bench in
      let shop = Tenant(realm: .native, name: "shop")
      try await bench.grants.give(Grant(tenant: shop, role: .reader), to: "ada")
      let ada = try await bench.signIn("ada")
      let path = try PageDownloadTests.path(
        try await bench.ask(
          "POST", "/ui/v1/downloads", ada, tenant: "native/shop", body: PageDownloadTests.body))
      try await bench.grants.take(shop, from: "ada")
      #expect(try await bench.ask("GET", path, ada, fields: []).status == 403)
      #expect(bench.queries.asked.isEmpty)
      for body in [
        "{}", "[]", "x", #"{"dataset":"logs"}"#, #"{"dataset":"logs","format":"xml"}"#,
        #"{"dataset":"none","format":"csv"}"#, #"{"dataset":"sessions","format":"csv","more":1}"#,
        #"{"dataset":"sessions","format":"csv","where":{"eq":["none",1]},"limit":"x"}"#,
      ] {
        #expect(try await bench.ask("POST", "/ui/v1/downloads", ada, body: body).status == 400, "\(body)")
      }
      let long = #"{"dataset":"logs","format":"csv","cursor":"\#(String(repeating: "x", count: 66_000))"}"#
      #expect(try await bench.ask("POST", "/ui/v1/downloads", ada, body: long).status == 413)
    }
  }

  @Test func fewWaitAtATime() async throws {
    try await withPage { bench in
      let key = try await bench.signIn(key: PageBench.readerKey)
      for _ in 0..<PageDownloads.callerCountMax {
        #expect(
          try await bench.ask("POST", "/ui/v1/downloads", key, body: PageDownloadTests.body).status == 201)
      }
      let answer = try await bench.ask("POST", "/ui/v1/downloads", key, body: PageDownloadTests.body)
      #expect(answer.status == 429 && answer.headers["retry-after"] == "60")
      bench.clock.advance(seconds: 60)
      #expect(
        try await bench.ask("POST", "/ui/v1/downloads", key, body: PageDownloadTests.body).status == 201)
    }
  }
}
