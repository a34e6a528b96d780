import Codecs

/// The table of routes as an OpenAPI 3.1 document.
package enum OpenAPIDocument {
  package static func text(of table: RouteTable, version: String) -> [UInt8] {
    let operations = table.operations
    return JSONWriter.object { text in
      text.member("openapi", "3.1.0")
      text.name("info")
      text.beginObject()
      text.member("title", "Cordwood")
      text.member("description", "A log server: logs, stacked in columns.")
      text.member("version", version)
      text.endObject()
      text.name("paths")
      text.beginObject()
      for path in table.paths.map(\.description) {
        text.name(text: path)
        text.beginObject()
        for operation in operations where operation.path == path { write(operation, to: &text) }
        text.endObject()
      }
      text.endObject()
      text.name("components")
      text.beginObject()
      writeSchemes(of: operations, to: &text)
      text.endObject()
    }
  }

  private static func writeSchemes(of operations: [RouteOperation], to text: inout JSONWriter) {
    text.name("securitySchemes")
    text.beginObject()
    var seen: Set<CredentialKind> = []
    for kind in operations.flatMap(\.credentials) where seen.insert(kind).inserted {
      text.name(text: kind.name)
      text.beginObject()
      switch kind.form {
      case .bearer(let format):
        text.member("type", "http")
        text.member("scheme", "bearer")
        if let format { text.member("bearerFormat", format) }
        text.endObject()
      case .cookie(let name):
        text.member("type", "apiKey")
        text.member("in", "cookie")
        text.member("name", name)
        text.endObject()
      case .header(let name, let bearer):
        text.member("type", "apiKey")
        text.member("in", "header")
        text.member("name", name)
        text.endObject()
        text.name(text: bearer)
        text.beginObject()
        text.member("type", "http")
        text.member("scheme", "bearer")
        text.endObject()
      }
    }
    text.endObject()
  }

  private static func write(_ operation: RouteOperation, to text: inout JSONWriter) {
    text.name(text: operation.method.rawValue.lowercased())
    text.beginObject()
    text.name("tags")
    text.beginArray()
    for tag in operation.tags { text.value(tag) }
    text.endArray()
    text.member("summary", operation.summary)
    text.member("operationId", operation.identifier)
    if operation.isSafe, operation.method != .get { text.member("x-safe", true) }
    write(operation.parameters, to: &text)
    if let body = operation.body { write(body, to: &text) }
    text.name("responses")
    text.beginObject()
    for status in operation.statuses {
      text.name(text: String(status))
      text.beginObject()
      text.member("description", HTTPStatus(status).reason)
      text.endObject()
    }
    text.endObject()
    write(operation.credentials, to: &text)
    text.endObject()
  }

  private static func write(_ parameters: [RouteParameter], to text: inout JSONWriter) {
    guard !parameters.isEmpty else { return }
    text.name("parameters")
    text.list(parameters) { text, parameter in
      text.member("name", parameter.name)
      text.member("in", parameter.place.rawValue)
      text.member("required", parameter.place == .path || parameter.isNeededField)
      text.member("description", parameter.summary)
      if parameter.isPassedOver { text.member("deprecated", true) }
      text.name("schema")
      text.raw(Array(parameter.schema.utf8))
    }
  }

  private static func write(_ body: RouteBody, to text: inout JSONWriter) {
    text.name("requestBody")
    text.beginObject()
    if let passedOver = body.passedOver { text.member("description", passedOver) }
    text.member("required", true)
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

  private static func write(_ credentials: [CredentialKind], to text: inout JSONWriter) {
    guard !credentials.isEmpty else { return }
    text.name("security")
    text.beginArray()
    for kind in credentials {
      text.raw(Array(#"{"\#(kind.name)":[]}"#.utf8))
      if case .header(_, let bearer) = kind.form { text.raw(Array(#"{"\#(bearer)":[]}"#.utf8)) }
    }
    text.endArray()
  }
}
