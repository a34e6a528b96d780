import Foundation
import Testing

/// The page of the program itself: where it is, who gets in, and what the command line grants.
@Suite(.serialized) struct PageTests {
  private static let field = ["Cordwood-Page": "1"]

  private func names(_ answer: HTTPAnswer) throws -> [String] {
    (try answer.object()["tenants"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
  }

  @Test func aBrowserFindsThePage() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let accept = ["Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"]
    let root = try server.request("GET", "/", headers: accept)
    #expect(root.status == 303 && root.headers["location"] == "/ui/")
    let page = try server.request("GET", "/ui/logs?q=%zz", headers: accept)
    #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
    let address = try #require(page.text.firstRange(of: "/ui/-/"))
    let script = page.text[address.lowerBound...].prefix { $0 != "\"" }
    let file = try server.request("GET", String(script), headers: ["Accept-Encoding": "gzip"])
    #expect(file.status == 200 && file.headers["cache-control"]?.contains("immutable") == true)
    // In development without keys nobody signs in, and everybody could as the administrator.
    #expect(try server.request("POST", "/v1/records/logs", body: #"{"message":"m"}"#).status == 201)
    let me = try server.request("GET", "/ui/v1/me", headers: PageTests.field)
    #expect(try me.object()["kind"] as? String == "open")
    #expect(try names(me).first == "native/default" && names(me).contains("sessions/sessions"))
    let rows = try server.request(
      "POST", "/ui/v1/query", headers: PageTests.field, body: #"{"dataset":"logs"}"#)
    #expect(rows.status == 200 && rows.text.contains(#""message":"m""#))
    let download = try server.request(
      "POST", "/ui/v1/downloads", headers: PageTests.field, body: #"{"dataset":"logs","format":"csv"}"#)
    let path = try #require(try download.object()["path"] as? String)
    let saved = try server.request("GET", path)
    #expect(saved.status == 200 && saved.text.contains("message"))
    #expect(saved.headers["content-disposition"]?.contains("cordwood-logs.csv") == true)
    #expect(try server.request("GET", path).status == 404)
    let status = try server.request("GET", "/ui/v1/status", headers: PageTests.field).object()
    #expect(
      (status["disk"] as? [String: Any])?["free_bytes"] as? Int != nil && status["ready"] as? Bool == true)
    #expect(server.stop() == 0)
    let quiet = try ServerProcess(data: folder.path + "/data", arguments: ["--set", "server.page=off"])
    for path in ["/ui/", "/ui/v1/me", "/ui"] {
      #expect(try quiet.request("GET", path, headers: PageTests.field).status == 404, "\(path)")
    }
    #expect(try quiet.request("GET", "/", headers: accept).status == 200)
    #expect(quiet.stop() == 0)
  }

  @Test func grantsOfTheCommandLineCount() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let server = try ServerProcess(data: data)
    #expect(try SessionsClient(port: server.port).makeUser("ada", "a password of hers").status == 201)
    let user = try IsolatedCaller.page(server, "ada", "a password of hers")
    func tenants() throws -> [String] { try names(try server.request("GET", "/ui/v1/me", headers: user)) }
    #expect(try tenants() == ["sessions/sessions"])
    func run(_ arguments: String...) throws -> Program.Result {
      try Program.run(["users"] + arguments + ["--data-dir", data], in: folder)
    }
    #expect(try run("grant", "ada", "native/default", "--role", "admin").status == 0)
    #expect(try run("grant", "ada", "audit/abc").status == 0)
    #expect(try run("grants").text == "ada\tnative/default\tadmin\nada\taudit/abc\treader\n")
    for arguments in [
      ["ada", "default"], ["ada", "none/x"], ["nobody", "native/x"], ["ada", "native/\u{202E}"],
    ] {
      #expect(try run("grant", arguments[0], arguments[1]).status != 0, "\(arguments)")
    }
    let deadline = Date().addingTimeInterval(30)
    while try tenants().count < 3, Date() < deadline { Thread.sleep(forTimeInterval: 0.05) }
    #expect(try tenants() == ["native/default", "audit/abc", "sessions/sessions"])
    #expect(try run("revoke", "ada", "audit/abc").status == 0)
    #expect(try run("revoke", "ada", "audit/abc").status != 0)
    #expect(try run("grants", "ada").text == "ada\tnative/default\tadmin\n")
    #expect(try run("grants", "nobody").status != 0)
    while try tenants().count > 2, Date() < deadline { Thread.sleep(forTimeInterval: 0.05) }
    #expect(try tenants() == ["native/default", "sessions/sessions"])
    #expect(server.stop() == 0)
  }
}
