import Records

/// A JSON value as a tree, for small texts from outside: requests, filters, settings. Of records only those
/// that are not plain go through it, one at a time.
package enum JSONTree: Sendable, Equatable {
  case null
  case bool(Bool)
  case int64(Int64)
  case float64(Double)
  /// A number neither int64 nor double holds exactly, as its text.
  case number(String)
  case string(String)
  case array([JSONTree])
  /// Members in the text's order; names are distinct, but for ``init(lenientlyParsing:)``.
  case object([Member])

  /// A name and its value.
  package struct Member: Sendable, Equatable {
    /// Escapes resolved.
    package let name: String
    /// The value.
    package let value: JSONTree
    /// A member of an object.
    package init(_ name: String, _ value: JSONTree) {
      self.name = name
      self.value = value
    }

    /// The name byte by byte.
    package static func == (left: Member, right: Member) -> Bool {
      left.name.hasBytes(of: right.name) && left.value == right.value
    }
  }

  /// Why a text is not JSON.
  package struct SyntaxError: Error, Sendable, Hashable {
    /// Where in the text.
    package let offsetBytes: Int
    /// For people; quotes nothing of the text but a name.
    package let reason: String
    /// The name that an object has twice, cut to 64 bytes; nil: something else is wrong.
    package var repeatedName: String?

    package init(offsetBytes: Int, reason: String, repeatedName: String? = nil) {
      (self.offsetBytes, self.reason, self.repeatedName) = (offsetBytes, reason, repeatedName)
    }
  }

  /// The most levels of arrays and objects in each other.
  package static let nestingMax = 64

  /// The value of member `name`, or nil.
  package subscript(name: String) -> JSONTree? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name.hasBytes(of: name) }?.value
  }

  /// The text of a string; nil for anything else.
  package var string: String? { if case .string(let text) = self { text } else { nil } }

  /// Parses a whole text (RFC 8259). NUL, broken UTF-8, lone surrogates, repeated names and anything behind
  /// the value are errors.
  package init(parsing text: [UInt8]) throws(SyntaxError) { try self.init(text, isLenient: false) }

  /// As ``init(parsing:)``, but names may repeat, NUL may be escaped in strings, and numbers that are not
  /// plain digits stay the text they are: for bodies whose rules deal with that.
  package init(lenientlyParsing text: [UInt8]) throws(SyntaxError) { try self.init(text, isLenient: true) }

  private init(_ text: [UInt8], isLenient: Bool) throws(SyntaxError) {
    var reader = JSONReader(text, isLenient: isLenient)
    self = try reader.value()
    try reader.end()
  }

  /// Texts and names byte by byte.
  package static func == (left: JSONTree, right: JSONTree) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let left), .bool(let right)): left == right
    case (.int64(let left), .int64(let right)): left == right
    case (.float64(let left), .float64(let right)): left == right
    case (.number(let left), .number(let right)), (.string(let left), .string(let right)):
      left.hasBytes(of: right)
    case (.array(let left), .array(let right)): left == right
    case (.object(let left), .object(let right)): left == right
    case (.null, _), (.bool, _), (.int64, _), (.float64, _), (.number, _), (.string, _), (.array, _),
      (.object, _):
      false
    }
  }

  /// The JSON text, without white space.
  package var text: String {
    var writer = JSONWriter(capacity: 256)
    write(to: &writer)
    return String(decoding: writer.takeBytes(), as: UTF8.self)
  }

  private func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.appendNull()
    case .bool(let value): writer.appendBool(value)
    case .int64(let value): writer.appendInt64(value)
    case .float64(let value): writer.appendFloat64(value)
    case .number(let text): writer.append(raw: text)
    case .string(let text): writer.appendString(text)
    case .array(let elements):
      writer.append(raw: "[")
      for (index, element) in elements.enumerated() {
        if index > 0 { writer.append(raw: ",") }
        element.write(to: &writer)
      }
      writer.append(raw: "]")
    case .object(let members):
      writer.append(raw: "{")
      for (index, member) in members.enumerated() {
        if index > 0 { writer.append(raw: ",") }
        writer.appendString(member.name)
        writer.append(raw: ":")
        member.value.write(to: &writer)
      }
      writer.append(raw: "}")
    }
  }
}
