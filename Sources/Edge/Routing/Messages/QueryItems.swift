import Records

/// The query of a request target, decoded on demand.
package struct QueryItems: Sendable {
  private let text: Substring

  package init(_ text: Substring) { self.text = text }

  private static let schemes = ["http://", "https://"]

  /// Splits a request target at its first `?`. Of one in absolute form (RFC 9112 §3.2.2), scheme and
  /// authority are left out.
  package static func split(_ target: String) -> (path: String, query: QueryItems) {
    for scheme in schemes where target.hasBytes(from: scheme) {
      let rest = target.utf8.dropFirst(scheme.utf8.count).drop {
        $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?")
      }
      return split(rest.first == UInt8(ascii: "/") ? String(Substring(rest)) : "/" + Substring(rest))
    }
    guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (target, QueryItems("")) }
    return (String(target[..<mark]), QueryItems(target[target.utf8.index(after: mark)...]))
  }

  /// The first item named `name`; nil without one, or if its escapes are broken.
  package subscript(name: String) -> String? {
    for item in items {
      guard let found = QueryItems.name(item), found.hasBytes(of: name) else { continue }
      return QueryItems.value(item)
    }
    return nil
  }

  /// Whether every escape is one, and all text UTF-8. What reads items takes broken ones for missing.
  package var isWellFormed: Bool { items.allSatisfy { QueryItems.decode($0) != nil } }

  /// Whether there is none.
  package var isEmpty: Bool { text.isEmpty }

  /// All items in order, those without `=` with an empty value; those with broken escapes are left out.
  package var all: [(name: String, value: String)] {
    items.compactMap { item in
      guard let name = QueryItems.name(item), let value = QueryItems.value(item) else { return nil }
      return (name, value)
    }
  }

  /// All items named `name`, in order; those with broken escapes are left out.
  package func values(_ name: String) -> [String] {
    items.compactMap { item in
      guard let found = QueryItems.name(item), found.hasBytes(of: name) else { return nil }
      return QueryItems.value(item)
    }
  }

  /// By bytes: with a combining mark behind it, `&` is another `Character`.
  private var items: [Substring] { text.utf8.split(separator: UInt8(ascii: "&")).map { Substring($0) } }

  private static func name(_ item: Substring) -> String? {
    decode(item[..<(item.utf8.firstIndex(of: UInt8(ascii: "=")) ?? item.endIndex)])
  }

  private static func value(_ item: Substring) -> String? {
    guard let sign = item.utf8.firstIndex(of: UInt8(ascii: "=")) else { return "" }
    return decode(item[item.utf8.index(after: sign)...])
  }

  /// `text` with `%XX` resolved and, in queries, `+` as a space; nil if an escape is broken or the result no
  /// UTF-8.
  package static func decode(_ text: Substring, isQuery: Bool = true) -> String? {
    guard text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
      return String(text)
    }
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+") where isQuery: bytes.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
          return nil
        }
        bytes.append(high << 4 | low)
      default: bytes.append(byte)
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
