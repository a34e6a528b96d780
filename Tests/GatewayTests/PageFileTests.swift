import Columnar
import Foundation
import Records
import Routing
import TestKit
import Testing

@testable import WebUI

/// The page as it is served: its files, its header fields, its addresses.
@Suite struct PageFileTests {
  private static let folder: String = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return root.path + "/Sources/Edge/WebUI/page"
  }()

  @Test func everyFileOfTheFolderIsInTheBinaryAsItIs() throws {
    let names = try FileManager.default.contentsOfDirectory(atPath: PageFileTests.folder).sorted()
    #expect(names.contains("index.html"))
    #expect(PageFiles.embedded.contents.keys.map(\.text).sorted() == names, "a line each in files.inc")
    for name in names {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: PageFileTests.folder + "/" + name))
      #expect(PageFiles.embedded.contents[Name(name)] == Array(bytes), "\(name)")
    }
  }

  @Test func theListSaysWhatTheFilesAreCalled() {
    let list = "// a\n#embed \"../page/a.js\" suffix(, 0, )\n\n#embed \"../page/b.css\" suffix(, 0, )\n"
    #expect(PageFiles.names(in: list) == ["a.js", "b.css"])
    let files = PageFiles(names: ["a", "b"], bytes: [1, 2, 0, 3, 0])
    #expect(files.contents["a"] == [1, 2] && files.contents["b"] == [3])
  }

  @Test func anyByteMakesAnotherAddress() {
    let one = WebUIRoutes(PageFiles(names: ["index.html", "a.js"], bytes: [1, 0, 2, 0]))
    let other = WebUIRoutes(PageFiles(names: ["index.html", "a.js"], bytes: [1, 0, 3, 0]))
    let renamed = WebUIRoutes(PageFiles(names: ["index.html", "b.js"], bytes: [1, 0, 2, 0]))
    #expect(Set([one.hash, other.hash, renamed.hash]).count == 3 && one.hash.utf8.count == 32)
  }

  @Test func everyAddressIsTheSamePage() async throws {
    try await withPage { bench in
      let home = try await bench.ask("GET", "/ui/", fields: [])
      #expect(home.status == 200 && home.headers["content-type"] == "text/html; charset=utf-8")
      #expect(home.text.contains("/ui/-/\(bench.webUI.hash)/app.js") && !home.text.contains("{assets}"))
      let policy = try #require(home.headers["content-security-policy"])
      #expect(
        policy
          == "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
          + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
          + "require-trusted-types-for 'script'; trusted-types 'none'")
      #expect(home.headers["cache-control"] == "no-cache")
      #expect(home.headers["x-content-type-options"] == "nosniff")
      #expect(home.headers["referrer-policy"] == "no-referrer")
      #expect(home.headers["cross-origin-opener-policy"] == "same-origin")
      #expect(home.headers["cross-origin-resource-policy"] == "same-origin")
      for page in WebUIRoutes.pages {
        let answer = try await bench.ask("GET", "/ui/\(page)?q=%3Cscript%3E", fields: [])
        // A query is the page's own business.
        #expect(answer.status == 200 && answer.body == home.body, "\(page)")
      }
      for path in ["/ui/none", "/ui/logs/", "/ui/v1", "/ui/-/", "/ui/-/x/app.js"] {
        #expect(try await bench.ask("GET", path, fields: []).status == 404, "\(path)")
      }
      let redirect = try await bench.ask("GET", "/ui", fields: [])
      #expect(redirect.status == 303 && redirect.headers["location"] == "/ui/")
      let tag = try #require(home.headers["etag"])
      let again = try await bench.ask("GET", "/ui/logs", fields: [("If-None-Match", "\"x\", \(tag)")])
      #expect(again.status == 304 && again.body.isEmpty && again.headers["etag"] == tag)
      #expect(try await bench.ask("GET", "/ui/", fields: [("If-None-Match", "\"x\"")]).status == 200)
    }
  }

  @Test func filesAreKeptForEverAndCompressedOnce() async throws {
    try await withPage { bench in
      let path = "/ui/-/\(bench.webUI.hash)/"
      let script = try await bench.ask("GET", path + "app.js", fields: [])
      #expect(script.status == 200 && script.headers["content-type"] == "text/javascript; charset=utf-8")
      #expect(script.headers["cache-control"] == "public, max-age=31536000, immutable")
      #expect(script.headers["x-content-type-options"] == "nosniff")
      #expect(script.body == PageFiles.embedded.contents["app.js"])
      #expect(try await bench.ask("GET", path + "style.css", fields: []).status == 200)
      for name in ["index.html", "nothing.js", "..%2Findex.html", "%00"] {
        #expect(try await bench.ask("GET", path + name, fields: []).status == 404, "\(name)")
      }
      #expect(try await bench.ask("GET", "/ui/-/0123/app.js", fields: []).status == 404)
    }
    let long = [UInt8](repeating: 97, count: 5_000)
    let asset = PageAsset("a.js", long)
    for (asked, coding) in [("gzip, deflate, br, zstd", "zstd"), ("gzip", "gzip"), ("br", nil)] {
      let head = RequestHead(
        .get, "/ui/", headers: HeaderFields([("Accept-Encoding", asked)]))
      let answer = asset.answer(to: head, [])
      #expect(answer.headers.first { $0.name == "Content-Encoding" }?.value == coding, "\(asked)")
      #expect((answer.body.count < 500) == (coding != nil))
      #expect(answer.headers.contains { $0.name == "Vary" })
    }
  }

  @Test func browsersGetThePageAndOthersWhatTheyGot() async throws {
    try await withPage { bench in
      let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
      for (accept, isPage) in [
        (browser, true), ("TEXT/HTML", true), ("text/html;q=0.5, application/json;q=0.4", true),
        ("*/*", false), ("application/json", false), ("application/json, text/html", false),
        ("text/html;q=0.5, */*", false), ("text/html;q=0", false), ("text/html;q=x", false), ("", false),
      ] {
        let answer = try await bench.ask("GET", "/", fields: [("Accept", accept)])
        #expect(answer.status == (isPage ? 303 : 200), "\(accept)")
        #expect(answer.headers["location"] == (isPage ? "/ui/" : nil))
      }
      #expect(try await bench.ask("GET", "/", fields: []).text.contains("\"service\":\"cordwood\""))
      #expect(try await bench.ask("POST", "/", fields: [("Accept", browser)]).status == 405)
    }
  }

  @Test func theReferenceHasThePagesGuards() async throws {
    try await withPage { bench in
      let docs = try await bench.ask("GET", "/docs", fields: [])
      let policy = try #require(docs.headers["content-security-policy"])
      #expect(policy.contains("default-src 'none'") && policy.contains("style-src 'sha256-"))
      #expect(policy.contains("require-trusted-types-for 'script'") && !policy.contains("nonce"))
      for name in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
        #expect(docs.headers[name] == "same-origin")
      }
      #expect(docs.text.contains("/ui/v1/query") && docs.text.contains("Cordwood-Page: 1"))
    }
  }
}
