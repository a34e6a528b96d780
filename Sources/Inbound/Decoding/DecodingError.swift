/// Why an entry, or a whole body, was refused. Never holds a value of the request.
package enum DecodingReason: Sendable, Hashable {
  // The body.
  case empty
  case bodyTooLarge(bytesMax: Int)
  case tooManyEntries(entriesMax: Int)
  case notUTF8Encoding
  case expectedArrayOrObject
  case trailingContent
  // Syntax.
  case syntax(JSONExpectation)
  case truncated
  case invalidUTF8
  case nulCharacter
  case controlCharacter
  case badEscape
  case loneSurrogate
  case badNumber
  case nestedTooDeeply(depthMax: Int)
  // Limits of an entry.
  case entryTooLarge(bytesMax: Int)
  case tooManyMembers(membersMax: Int)
  case keyTooLong(bytesMax: Int)
  // The schema.
  case notAnObject
  case wrongType(expected: String)
  case badTimestamp
  case numberOutOfRange
  case missing
  case reserved
  case unknownField
  case ruleBroken
  case repeatedName
}

/// What the grammar wanted where something else stood.
package enum JSONExpectation: String, Sendable, Hashable {
  case value = "a JSON value"
  case key = "a key in quotes"
  case colon = "a colon"
  case commaOrBrace = "a comma or }"
  case commaOrBracket = "a comma or ]"
  case lineEnd = "a line end after the record"
  case record = "a record in braces"
}

/// A fault of a request body: where and why. Texts name entry, byte and field and quote no value.
package struct DecodingError: Error, Sendable, Hashable {
  /// Number of the entry, from 0; nil: the body as a whole.
  package let entry: Int?
  /// Offset in the body (after decompression) where the fault was seen.
  package let byte: Int
  /// Name of the column or member concerned, cut to 64 bytes.
  package let field: String?
  package let reason: DecodingReason

  package init(entry: Int?, byte: Int, field: String?, reason: DecodingReason) {
    self.entry = entry
    self.byte = byte
    self.field = field
    self.reason = reason
  }

  /// A sentence for the client.
  package var message: String {
    var place = entry.map { "entry \($0), byte \(byte)" } ?? "byte \(byte)"
    if let field { place += ", field \"\(field)\"" }
    return "\(place): \(reason.text)"
  }
}

extension DecodingReason {
  /// What is wrong, without the place.
  package var text: String {
    switch self {
    case .empty: "the body has no record"
    case .bodyTooLarge(let max): "the body is larger than \(max) bytes"
    case .tooManyEntries(let max): "more than \(max) entries in one request"
    case .notUTF8Encoding: "the body is not UTF-8 (it begins like UTF-16 or UTF-32)"
    case .expectedArrayOrObject: "expected a JSON array or object"
    case .trailingContent: "content after the end of the JSON document"
    case .syntax(let expected): "expected \(expected.rawValue)"
    case .truncated: "the text ends inside a record"
    case .invalidUTF8: "invalid UTF-8"
    case .nulCharacter: "NUL characters are not allowed"
    case .controlCharacter: "a control character must be escaped"
    case .badEscape: "no such escape"
    case .loneSurrogate: "half of a surrogate pair"
    case .badNumber: "not a JSON number"
    case .nestedTooDeeply(let max): "nested more than \(max) levels deep"
    case .entryTooLarge(let max): "the entry is larger than \(max) bytes"
    case .tooManyMembers(let max): "an object has more than \(max) members"
    case .keyTooLong(let max): "a key is longer than \(max) bytes"
    case .notAnObject: "an entry must be a JSON object"
    case .wrongType(let expected): "expected \(expected)"
    case .badTimestamp: "not an RFC 3339 time between 1677-09-21 and 2262-04-11"
    case .numberOutOfRange: "the number does not fit the column"
    case .missing: "a required field is missing or null"
    case .reserved: "the server sets this field"
    case .unknownField: "no such field"
    case .ruleBroken: "the value breaks a rule of its field"
    case .repeatedName:
      "the name is there twice: in one object, or beside the object that takes other members and in it"
    }
  }
}
