import Codecs

/// Prints records for people: a line each, coloured by level on a terminal; counts as a table.
struct RowPrinter {
  let hasColour: Bool
  /// Whether control characters are made visible: a log line must not steer the terminal.
  let isTerminal: Bool

  /// `2026-11-19T12:00:00Z ERROR shop  payment timed out  {"amount":12.5}`
  func line(_ row: JSONTree) -> String {
    guard case .object(let members) = row else { return row.text }
    var head: [String] = []
    var rest: [String] = []
    var level = ""
    var message = ""
    for member in members {
      let text = RowPrinter.text(member.value)
      switch member.name {
      case "timestamp": head.insert(paint(text, "2"), at: 0)
      case "level", "severity":
        level = text
        head.append(paint(text.padded(to: 5), RowPrinter.colour(of: text)))
      case "service", "container": head.append(paint(text, "36"))
      case "message", "query": message = text
      case "id", "position", "ingested_at": break
      default: rest.append(paint("\(member.name)=\(text)", "2"))
      }
    }
    if message.isEmpty, rest.isEmpty, head.isEmpty { return "" }
    let body = level.uppercased() == "ERROR" ? paint(message, "31") : message
    return visible((head + [body] + rest).filter { !$0.isEmpty }.joined(separator: " "))
  }

  /// JSON, or what is no record, as it came; on a terminal without control characters.
  func raw(_ text: String) -> String {
    guard isTerminal else { return text }
    return String(decoding: VisibleText.escaped(json: Array(text.utf8)), as: UTF8.self)
  }

  /// Rows of equal members as a table with a head.
  func table(_ rows: [JSONTree], columns: [String]) -> String {
    let cells = rows.map { row in columns.map { visible(row[$0].map(RowPrinter.text) ?? "") } }
    let names = columns.map(visible)
    let widths = columns.indices.map { index in
      ([names[index]] + cells.map { $0[index] }).map(DisplayWidth.columns).max() ?? 0
    }
    let isNumber = columns.map { $0 == "count" }
    func aligned(_ row: [String]) -> String {
      row.indices.map { index in
        row[index].padded(to: widths[index], left: isNumber[index])
      }.joined(separator: "  ").trimmingSpaces()
    }
    let head = paint(aligned(names), "1")
    return ([head] + cells.map(aligned)).map { $0 + "\n" }.joined()
  }

  private func paint(_ text: String, _ code: String) -> String {
    hasColour && !text.isEmpty && !code.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  /// Control characters of the data by their numbers, as ``VisibleText`` has them. Our own colours are told
  /// apart by their form.
  private func visible(_ text: String) -> String {
    guard isTerminal else { return text }
    var result = ""
    var scalars = text.unicodeScalars[...]
    while let scalar = scalars.first {
      if hasColour, let code = RowPrinter.ownColour(scalars) {
        result.unicodeScalars.append(contentsOf: code)
        scalars = scalars[code.endIndex...]
        continue
      }
      scalars.removeFirst()
      if VisibleText.isControl(scalar), scalar != "\t" {
        result += VisibleText.escape(scalar)
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// The colour sequence at the start, of the few that ``paint`` writes. Data that holds one too changes a
  /// colour, no more.
  private static func ownColour(_ text: Substring.UnicodeScalarView) -> Substring.UnicodeScalarView? {
    for code in ["0", "1", "2", "31", "33", "35", "36"] {
      let sequence = "\u{1B}[\(code)m".unicodeScalars
      if text.starts(with: sequence) { return text.prefix(sequence.count) }
    }
    return nil
  }

  static func colour(of level: String) -> String {
    switch level.uppercased() {
    case "ERROR", "FATAL", "CRITICAL", "ALERT", "EMERGENCY": "31"
    case "WARN", "WARNING": "33"
    case "DEBUG", "TRACE": "2"
    default: ""
    }
  }

  static func text(_ value: JSONTree) -> String {
    switch value {
    case .string(let text): text
    case .null: ""
    default: value.text
    }
  }
}

extension String {
  /// With spaces up to `width` columns of a terminal.
  func padded(to width: Int, left: Bool = false) -> String {
    let fill = String(repeating: " ", count: max(0, width - DisplayWidth.columns(of: self)))
    return left ? fill + self : self + fill
  }

  fileprivate func trimmingSpaces() -> String {
    var text = self
    while text.hasSuffix(" ") { text.removeLast() }
    return text
  }
}
