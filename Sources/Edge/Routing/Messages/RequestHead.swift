import Records

/// A request's method (RFC 9110, §9). Methods are case-sensitive; any token is one.
package struct RequestMethod: RawRepresentable, Sendable, Hashable {
  package let rawValue: String

  package init(rawValue: String) { self.rawValue = rawValue }

  package static let get = RequestMethod(rawValue: "GET")
  package static let head = RequestMethod(rawValue: "HEAD")
  package static let post = RequestMethod(rawValue: "POST")
  package static let put = RequestMethod(rawValue: "PUT")
  package static let patch = RequestMethod(rawValue: "PATCH")
  package static let delete = RequestMethod(rawValue: "DELETE")
  package static let options = RequestMethod(rawValue: "OPTIONS")
}

/// The version a request is sent in. What is older than 1.1 knows no chunks and no upgrade.
package enum ProtocolVersion: Sendable, Hashable {
  case http10, http11
}

/// A request's first line and header fields: all that is known before its body. Never changes, so that it is
/// passed on by reference.
package final class RequestHead: Sendable {
  package let method: RequestMethod
  /// The request target as sent.
  package let target: String
  /// The target without its query.
  package let path: String
  package let query: QueryItems
  package let headers: HeaderFields
  package let version: ProtocolVersion

  package init(
    _ method: RequestMethod, _ target: String, headers: HeaderFields = HeaderFields(),
    version: ProtocolVersion = .http11
  ) {
    self.method = method
    self.target = target
    (path, query) = QueryItems.split(target)
    self.headers = headers
    self.version = version
  }
}

extension RequestHead {
  /// What is wrong with the fields that say for whom the request is and where it ends; nil: nothing.
  ///
  /// Two names, or two ways to find the end, are two requests to two programs on the way (RFC 9112, §3.2,
  /// §6.1): a request is refused before anything is made of it.
  package var framingProblem: Problem? {
    let hosts = headers.count(name: "Host")
    if hosts > 1 || hosts == 0 && version == .http11 {
      return Problem(400, "A request has one Host field.")
    }
    if let host = headers.first(name: "Host"), !RequestHead.mayBeAuthority(host) {
      return Problem(400, "The Host field is a name or an address, and a port.")
    }
    guard headers.contains(name: "Transfer-Encoding") else { return nil }
    if version == .http10 { return Problem(400, "HTTP/1.0 has no Transfer-Encoding.") }
    let codings = headers[list: "Transfer-Encoding"]
    if codings.contains(where: { !$0.asciiLowercased.hasBytes(of: "chunked") }) {
      return Problem(501, "The only Transfer-Encoding is chunked.")
    }
    // None is no way to find the end, and one in the other none of ours.
    return codings.count == 1 ? nil : Problem(400, "Transfer-Encoding is chunked, once.")
  }

  /// Whether the text has only characters of a host and a port (RFC 9112, §3.2; RFC 3986, §3.2.2).
  private static func mayBeAuthority(_ text: String) -> Bool {
    text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: authorityMarks.contains(byte)
      }
    }
  }

  /// Those beside letters and digits; the comma, which a list would have, is left out.
  private static let authorityMarks = Array("-._~%!$&'()*+;=:[]".utf8)

  /// Refuses a query that cannot be read: what looks for an item would take it for missing, and its default
  /// for what was meant.
  ///
  /// - Throws: 400.
  package func checkQuery() throws(Problem) {
    guard query.isWellFormed else {
      throw Problem(400, "The query has a broken escape, or text that is not UTF-8")
    }
  }
}

/// The header fields of a message, in the order they were sent. A look-up costs a comparison for each field.
package struct HeaderFields: Sendable, ExpressibleByDictionaryLiteral {
  private var fields: [(name: String, value: String)]

  package init(_ fields: [(name: String, value: String)] = []) { self.fields = fields }

  package init(dictionaryLiteral fields: (String, String)...) {
    self.fields = fields.map { (name: $0.0, value: $0.1) }
  }

  /// The values of the fields called `name`, whatever its case, as sent.
  package subscript(name: String) -> [String] {
    fields.compactMap { HeaderFields.isEqual($0.name, name) ? $0.value : nil }
  }

  /// The members of a list that may be spread over several fields (RFC 9110, §5.6.1), without blanks around
  /// them.
  package subscript(list name: String) -> [Substring] {
    self[name].flatMap { value in
      value.parts(at: ",").filter { !$0.isEmpty }.map(\.trimmed)
    }
  }

  /// The first value of the fields called `name`, whatever its case; nil without one.
  package func first(name: String) -> String? {
    fields.first { HeaderFields.isEqual($0.name, name) }?.value
  }

  /// Whether `test` holds for the values of all fields called `name`, whatever its case.
  func allSatisfy(name: String, _ test: (String) -> Bool) -> Bool {
    fields.allSatisfy { !HeaderFields.isEqual($0.name, name) || test($0.value) }
  }

  /// How many fields are called `name`, whatever its case.
  func count(name: String) -> Int { fields.count { HeaderFields.isEqual($0.name, name) } }

  package func contains(name: String) -> Bool { first(name: name) != nil }

  package mutating func add(name: String, value: String) { fields.append((name, value)) }

  /// The fields whose name, in lower case, `holds`.
  func filter(_ holds: (String) -> Bool) -> HeaderFields {
    HeaderFields(fields.filter { holds($0.name.asciiLowercased) })
  }

  private static func isEqual(_ left: String, _ right: String) -> Bool {
    guard left.utf8.count == right.utf8.count else { return false }
    return zip(left.utf8, right.utf8).allSatisfy { left, right in
      left == right || (left ^ right == 0x20 && (0x61...0x7A).contains(left | 0x20))
    }
  }
}
