import Records
import Routing

/// The header field `Cordwood-Import`: which piece of an import a request is, and in answers, how far the
/// import is stored. A dictionary of RFC 9651 whose members are whole numbers, strings of visible characters
/// but commas, or bare: `id="app.log", from=0, to=1048576, note="x", restart`.
package enum ImportField {
  package static let name = "Cordwood-Import"
  static let bytesMax = 512

  /// - Throws: 400 unless it is one as said above, with `id`, and `from` no larger than `to`.
  static func part(of call: HTTPCall) throws(Problem) -> ImportPart? {
    guard let text = call.head.headers.first(name: name) else { return nil }
    guard let members = members(of: text), let id = members["id"]?.text, let from = members["from"]?.number,
      let to = members["to"]?.number, from <= to, (1...ImportPart.nameBytesMax).contains(id.utf8.count),
      case let note = members["note"]?.text ?? "", note.utf8.count <= ImportPart.noteBytesMax,
      Set(members.keys).isSubset(of: ["id", "from", "to", "note", "restart"])
    else {
      throw Problem(
        400, "\(name) must be like id=\"app.log\", from=0, to=1048576, with from no larger than to.")
    }
    return ImportPart(name: id, range: from..<to, note: note, restarts: members["restart"] != nil)
  }

  /// What a request says that is the piece `part`.
  package static func text(of part: ImportPart) -> String {
    "id=\"\(part.name)\", \(text(part))" + (part.restarts ? ", restart" : "")
  }

  /// The last piece that is stored of the import `name`, as an answer says it; nil for anything else.
  package static func last(of name: String, _ text: String) -> ImportPart? {
    guard let members = members(of: text), let from = members["from"]?.number,
      let to = members["to"]?.number, from <= to
    else { return nil }
    return ImportPart(name: name, range: from..<to, note: members["note"]?.text ?? "")
  }

  /// How far an import is stored.
  static func text(_ last: ImportPart?) -> String {
    guard let last else { return "from=0, to=0" }
    return "from=\(last.range.lowerBound), to=\(last.range.upperBound), note=\"\(last.note)\""
  }

  private enum Value {
    case number(Int64), text(String), none

    var number: Int64? { if case .number(let number) = self { number } else { nil } }
    var text: String? { if case .text(let text) = self { text } else { nil } }
  }

  private static func members(of text: String) -> [Name: Value]? {
    guard text.utf8.count <= bytesMax else { return nil }
    var found: [Name: Value] = [:]
    for member in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
      let parts = member.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
        .map { Array($0.drop { $0 == 32 }) }
      let name = String(decoding: parts[0].reversed().drop { $0 == 32 }.reversed(), as: UTF8.self)
      guard !name.isEmpty, let value = parts.count == 1 ? Value.none : value(of: parts[1]),
        found.updateValue(value, forKey: Name(name)) == nil
      else { return nil }
    }
    return found
  }

  private static func value(of bytes: [UInt8]) -> Value? {
    let bytes = bytes.reversed().drop { $0 == 32 }.reversed()
    let quote = UInt8(ascii: "\"")
    guard bytes.first == quote else {
      guard bytes.count <= 15, bytes.allSatisfy({ (48...57).contains($0) }) else { return nil }
      return Int64(String(decoding: bytes, as: UTF8.self)).map { .number($0) }
    }
    let inner = bytes.dropFirst().dropLast()
    guard bytes.count >= 2, bytes.last == quote,
      inner.allSatisfy({ (0x21...0x7E).contains($0) && $0 != quote && $0 != UInt8(ascii: "\\") })
    else { return nil }
    return .text(String(decoding: inner, as: UTF8.self))
  }
}
