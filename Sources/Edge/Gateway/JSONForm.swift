import Codecs
import Decoding

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

  private static func problem(_ place: [ValidationPlace], _ type: String, _ message: String) -> Problem {
    Problem(ValidationFailure([ValidationError(place, type, message)]))
  }

  /// A text that must be there; notes an error otherwise.
  mutating func text(_ name: String) -> String {
    guard let value = tree[name] else {
      note(name, "missing", "Field required")
      return ""
    }
    guard let text = value.string else {
      note(name, "string_type", "Input should be a valid string")
      return ""
    }
    if text.utf8.contains(0) { note(name, "value_error", "Value error, NUL is not allowed in text") }
    return text
  }

  /// A text that may be missing or null.
  mutating func optionalText(_ name: String) -> String? {
    switch tree[name] {
    case nil, .null?: nil
    case .some: text(name)
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
