import Codecs
import Decoding
import Routing

/// The fields of a small JSON body, and everything that is wrong with them at once.
struct JSONForm {
  private let tree: JSONTree
  private(set) var errors: [ValidationError] = []

  /// - Throws: 422: the body is no JSON object.
  init(_ body: [UInt8]) throws(Problem) {
    guard !body.isEmpty else { throw JSONForm.problem([.name("body")], "missing", "Field required") }
    do throws(JSONTree.SyntaxError) { tree = try JSONTree(parsing: body) } catch {
      throw JSONForm.problem(
        [.name("body"), .index(error.offsetBytes)], "json_invalid", "JSON decode error")
    }
    guard case .object = tree else { throw JSONForm.notAnObject }
  }

  /// What a body of another media type is answered.
  static var notAnObject: Problem {
    problem(
      [.name("body")], "model_attributes_type",
      "Input should be a valid dictionary or object to extract fields from")
  }

  /// 422 with one fault.
  static func problem(_ place: [ValidationPlace], _ type: String, _ message: String) -> Problem {
    Problem(ValidationFailure([ValidationError(place, type, message)]))
  }

  /// The last field of this name as it was sent; nil: there is none.
  subscript(name: String) -> JSONTree? { tree[name] }

  /// A text that must be there, of so many Unicode scalars; notes an error otherwise.
  mutating func text(_ name: String, characters: ClosedRange<Int> = 0...Int.max) -> String {
    guard let value = tree[name] else {
      note(name, "missing", "Field required")
      return ""
    }
    guard let text = value.string else {
      note(name, "string_type", "Input should be a valid string")
      return ""
    }
    let count = text.unicodeScalars.count
    if count < characters.lowerBound {
      note(name, "string_too_short", "String should have at least \(characters.lowerBound) characters")
    } else if count > characters.upperBound {
      note(name, "string_too_long", "String should have at most \(characters.upperBound) characters")
    } else if text.utf8.contains(0) {
      note(name, "value_error", "Value error, NUL is not allowed in text")
    }
    return text
  }

  /// A text that may be missing or null.
  mutating func optionalText(_ name: String) -> String? {
    switch tree[name] {
    case nil, .null?: nil
    case .some: text(name)
    }
  }

  /// A flag that may be missing.
  mutating func flag(_ name: String, orElse fallback: Bool) -> Bool {
    switch tree[name] {
    case nil: return fallback
    case .bool(let flag)?: return flag
    default:
      note(name, "bool_type", "Input should be a valid boolean")
      return fallback
    }
  }

  /// Whether the field is there and is text.
  func hasText(_ name: String) -> Bool { tree[name]?.string != nil }

  mutating func note(_ name: String, _ type: String, _ message: String) {
    errors.append(ValidationError([.name("body"), .name(name)], type, message))
  }

  func check() throws(Problem) {
    guard errors.isEmpty else { throw Problem(ValidationFailure(errors)) }
  }
}
