/// The table of routes as one page that needs nothing from elsewhere.
package enum ReferencePage {
  /// The page's style: its hash is what the page's policy lets in.
  package static let style = """
    body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}
    body{color:#222;background:#fff}
    h2{margin-top:2.5rem;border-bottom:1px solid #ddd}summary{cursor:pointer;padding:.3rem 0}
    code,pre{font:14px ui-monospace,monospace;background:#f4f4f2}pre{padding:.7rem;overflow-x:auto}
    b.m{display:inline-block;width:5rem}td{padding:.1rem .8rem .1rem 0;vertical-align:top}
    @media(prefers-color-scheme:dark){body{color:#ddd;background:#1b1b1a}code,pre{background:#2a2a28}}
    """

  package static func text(of table: RouteTable, version: String) -> [UInt8] {
    var page = """
      <!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
      <title>Cordwood</title><style>\(style)</style><h1>Cordwood \(version)</h1>
      <p>Everything this server answers to. For programs: <a href="openapi.json">openapi.json</a>.</p>
      """
    let operations = table.operations
    var headings: [String] = []
    for operation in operations where !headings.contains(heading(of: operation)) {
      headings.append(heading(of: operation))
    }
    for each in headings {
      page += "<h2>\(escaped(each))</h2>"
      for operation in operations where heading(of: operation) == each { page += section(operation) }
    }
    return Array((page + "</html>\n").utf8)
  }

  private static func heading(of operation: RouteOperation) -> String {
    operation.tags.joined(separator: " and ")
  }

  private static func section(_ operation: RouteOperation) -> String {
    var text = "<details><summary><b class=m>\(operation.method.rawValue)</b><code>"
    text += "\(escaped(operation.path))</code> \(escaped(operation.summary))</summary>"
    if !operation.credentials.isEmpty {
      text += "<p>Needs \(escaped(operation.credentials.map(\.words).joined(separator: ", or "))).</p>"
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

  /// An example that can be pasted.
  private static func command(_ operation: RouteOperation) -> String {
    var text = "curl -s"
    if operation.method != .get, operation.body == nil || operation.method != .post {
      text += " -X \(operation.method.rawValue)"
    }
    text += " http://127.0.0.1:8000\(operation.path)"
    switch operation.credentials.first?.form {
    case nil: break
    case .bearer?: text += " -H \"Authorization: Bearer $TOKEN\""
    case .header(let name, _)?: text += " -H \"\(name): $KEY\""
    case .cookie(let name)?: text += " -b \"\(name)=$COOKIE\""
    }
    for parameter in operation.parameters where parameter.isNeededField {
      text += " -H '\(parameter.name): \(parameter.example)'"
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
