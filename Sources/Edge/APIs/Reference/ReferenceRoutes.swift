import Routing

/// `GET /openapi.json` (OpenAPI 3.1) and `GET /docs`: what the server answers to, for programs and for people.
package struct ReferenceRoutes: APIRoutes {
  private let document: [UInt8]
  private let page: [UInt8]?
  private let keyHeader: String

  /// - Parameter hasPage: Whether `/docs` is served.
  package init(version: String, keyHeader: String, hasPage: Bool) {
    self.keyHeader = keyHeader
    document = OpenAPIDocument.text(version: version, keyHeader: keyHeader)
    page = hasPage ? ReferencePage.text(version: version) : nil
  }

  package func admit(_ head: RequestHead, path: String, origin: RequestOrigin) -> Admission? {
    let body: [UInt8]
    let type: String
    switch path {
    case "/openapi.json": (body, type) = (document, "application/json")
    case "/docs":
      guard let page else { return nil }
      (body, type) = (page, "text/html; charset=utf-8")
    default: return nil
    }
    guard head.method == .get || head.method == .head else {
      return .refuse(Problem(405, "This path takes GET, HEAD.", allow: "GET, HEAD"), route: path)
    }
    return .accept(
      Endpoint(route: path, bodyBytesMax: NativeRoutes.commandBytesMax, isShort: true) {
        (_, _) async throws(Problem) in
        .answer(HTTPAnswer(.ok, contentType: type, body: body))
      })
  }
}

/// Writes the OpenAPI document.
enum OpenAPIDocument {
  static func text(version: String, keyHeader: String) -> [UInt8] {
    var text = JSONText()
    text.beginObject()
    text.member("openapi", "3.1.0")
    text.name("info")
    text.beginObject()
    text.member("title", "Cordwood")
    text.member("description", "A log server: logs, stacked in columns.")
    text.member("version", version)
    text.endObject()
    text.name("paths")
    text.beginObject()
    var paths: [String] = []
    for operation in APIOperations.all where !paths.contains(operation.path) { paths.append(operation.path) }
    for path in paths {
      text.name(text: path)
      text.beginObject()
      for operation in APIOperations.all where operation.path == path { write(operation, to: &text) }
      text.endObject()
    }
    text.endObject()
    text.name("components")
    text.beginObject()
    text.name("securitySchemes")
    text.raw(
      Array(
        #"{"session":{"type":"http","scheme":"bearer"},"auditToken":{"type":"http","scheme":"bearer","bearerFormat":"JWT"},"queryToken":{"type":"http","scheme":"bearer"},"nativeKey":{"type":"http","scheme":"bearer"},"ingestKey":{"type":"http","scheme":"bearer"},"ingestAdmin":{"type":"http","scheme":"bearer"},"workflowKey":{"type":"apiKey","in":"header","name":"\#(keyHeader)"},"workflowBearer":{"type":"http","scheme":"bearer"}}"#
          .utf8))
    text.endObject()
    text.endObject()
    return text.bytes
  }

  private static func write(_ operation: APIOperation, to text: inout JSONText) {
    text.name(text: operation.method.lowercased())
    text.beginObject()
    text.name("tags")
    text.beginArray()
    text.value(operation.tag)
    text.endArray()
    text.member("summary", operation.summary)
    text.member("operationId", identifier(operation))
    if !operation.parameters.isEmpty {
      text.name("parameters")
      text.beginArray()
      for parameter in operation.parameters {
        text.beginObject()
        text.member("name", parameter.name)
        text.member("in", parameter.place.rawValue)
        text.name("required")
        text.value(parameter.place == .path)
        text.member("description", parameter.summary)
        text.name("schema")
        text.raw(Array(parameter.schema.utf8))
        text.endObject()
      }
      text.endArray()
    }
    if let body = operation.body {
      text.name("requestBody")
      text.beginObject()
      text.name("required")
      text.value(true)
      text.name("content")
      text.beginObject()
      text.name(text: body.mediaType)
      text.beginObject()
      text.name("schema")
      text.raw(Array(body.schema.utf8))
      text.name("example")
      if body.mediaType == "application/json" {
        text.raw(Array(body.example.utf8))
      } else {
        text.value(body.example)
      }
      text.endObject()
      text.endObject()
      text.endObject()
    }
    text.name("responses")
    text.beginObject()
    for status in Set([operation.status] + failures(operation)).sorted() {
      text.name(text: String(status))
      text.beginObject()
      text.member("description", HTTPStatus(status).reason)
      text.endObject()
    }
    text.endObject()
    if !operation.security.isEmpty {
      text.name("security")
      text.beginArray()
      for scheme in operation.security {
        text.raw(Array(#"{"\#(scheme.rawValue)":[]}"#.utf8))
        if scheme == .workflowKey { text.raw(Array(#"{"workflowBearer":[]}"#.utf8)) }
      }
      text.endArray()
    }
    text.endObject()
  }

  /// Its own, and those of every operation of its kind.
  private static func failures(_ operation: APIOperation) -> [Int] {
    var all = operation.failures + [400, 408, 431, 503]
    if !operation.security.isEmpty { all += [401] }
    if !Set(operation.security).isDisjoint(with: [.nativeKey, .ingestKey, .ingestAdmin]) { all += [403] }
    if operation.path.contains("{") { all += [404] }
    if operation.body != nil { all += [413, 415] }
    return all
  }

  private static func identifier(_ operation: APIOperation) -> String {
    let words = operation.path.split(whereSeparator: { "/{}.-_".contains($0) })
    return operation.method.lowercased() + words.map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }
}

/// Writes the reference as one page that needs nothing from elsewhere.
enum ReferencePage {
  static func text(version: String) -> [UInt8] {
    var page = """
      <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
      <title>Cordwood</title><style>
      body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
      h2{margin-top:2.5rem;border-bottom:1px solid #ddd}summary{cursor:pointer;padding:.3rem 0}
      code,pre{font:14px ui-monospace,monospace;background:#f4f4f2}pre{padding:.7rem;overflow-x:auto}b.m{display:inline-block;width:5rem}
      td{padding:.1rem .8rem .1rem 0;vertical-align:top}@media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1a}code,pre{background:#2a2a28}}
      </style><h1>Cordwood \(version)</h1><p>Everything this server answers to. For programs: <a href="openapi.json">openapi.json</a>.</p>
      """
    var tags: [String] = []
    for operation in APIOperations.all where !tags.contains(operation.tag) { tags.append(operation.tag) }
    for tag in tags {
      page += "<h2>\(escaped(tag))</h2>"
      for operation in APIOperations.all where operation.tag == tag { page += section(operation) }
    }
    return Array((page + "</html>\n").utf8)
  }

  private static func section(_ operation: APIOperation) -> String {
    var text = "<details><summary><b class=m>\(operation.method)</b><code>\(escaped(operation.path))</code> "
    text += "\(escaped(operation.summary))</summary>"
    if !operation.security.isEmpty {
      text += "<p>Needs \(operation.security.map(credential).joined(separator: ", or ")).</p>"
    }
    if !operation.parameters.isEmpty {
      let rows = operation.parameters.map {
        "<tr><td><code>\(escaped($0.name))</code><td>\($0.place.rawValue)<td>\(escaped($0.summary))"
      }
      text += "<table>\(rows.joined())</table>"
    }
    text += "<pre>\(escaped(command(operation)))</pre><p>Answers \(operation.status).</p></details>"
    return text
  }

  private static func credential(_ security: APIOperation.Security) -> String {
    switch security {
    case .session: "a token of the sessions API"
    case .auditToken: "a JSON Web Token of the audit API"
    case .queryToken: "a token of the query-log API"
    case .workflowKey: "an API key of the workflow API"
    case .nativeKey: "an API key of the native API, if there is any"
    case .ingestKey: "an API key of the ingest API"
    case .ingestAdmin: "the administrator's token of the ingest API"
    }
  }

  /// An example that can be pasted.
  private static func command(_ operation: APIOperation) -> String {
    var text = "curl -s"
    if operation.method != "GET", operation.body == nil || operation.method != "POST" {
      text += " -X \(operation.method)"
    }
    text += " http://127.0.0.1:8000\(operation.path)"
    switch operation.security.first {
    case nil, .nativeKey?: break
    case .session?, .auditToken?, .queryToken?, .ingestKey?, .ingestAdmin?:
      text += " -H \"Authorization: Bearer $TOKEN\""
    case .workflowKey?: text += " -H \"X-API-Key: $KEY\""
    }
    if let body = operation.body {
      text += " \\\n  -H 'Content-Type: \(body.mediaType)' --data-binary '\(body.example)'"
    }
    return text
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }
}
