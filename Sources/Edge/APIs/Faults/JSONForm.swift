import Codecs
import Decoding
import Records
import Routing

/// The fields of a small JSON body, and everything that is wrong with them at once.
struct JSONForm {
  private let tree: JSONTree
  private(set) var faults = ValidationFaults()

  /// Fields of other names are noted as errors.
  ///
  /// - Parameters:
  ///   - names: Of its fields.
  ///   - passedOver: Names of fields that clients of the original API send and that say nothing.
  /// - Throws: 422: the body is no JSON object.
  init(_ body: [UInt8], taking names: String..., passingOver passedOver: [String] = []) throws(Problem) {
    try self.init(body) { body throws(JSONTree.SyntaxError) in try JSONTree(parsing: body) }
    guard case .object(let members) = tree else { throw JSONForm.notAnObject }
    let known = members.filter { member in !passedOver.contains { $0.hasBytes(of: member.name) } }
    if let slip = Slip.first(of: known, among: names) {
      let error = slip.error(in: .body)
      faults.add(error.place, error.type, error.message)
    }
  }

  /// For long bodies of few fields: fields of other names are checked and left out, and what a field has that
  /// is no scalar stands there as an empty array or object.
  ///
  /// - Throws: 422: the body is no JSON object.
  init(_ body: [UInt8], scalars names: Set<Name>) throws(Problem) {
    try self.init(body) { body throws(JSONTree.SyntaxError) in
      var reader = JSONReader(body)
      guard reader.peek() == UInt8(ascii: "{") else {
        let other = try reader.scalar()
        try reader.end()
        return other
      }
      let members = try reader.scalars(named: names)
      try reader.end()
      return .object(members)
    }
    guard case .object = tree else { throw JSONForm.notAnObject }
  }

  private init(
    _ body: [UInt8], _ read: ([UInt8]) throws(JSONTree.SyntaxError) -> JSONTree
  ) throws(Problem) {
    guard !body.isEmpty else { throw Problem(ValidationFailure.noBody) }
    do throws(JSONTree.SyntaxError) { tree = try read(body) } catch {
      throw Problem(ValidationFailure(syntax: error))
    }
  }

  /// What a body of another media type is answered.
  static var notAnObject: Problem { Problem(ValidationFailure.notAnObject) }

  /// The last field of this name as it was sent; nil: there is none.
  subscript(name: String) -> JSONTree? { tree[name] }

  /// A text that must be there, of so many Unicode scalars; notes an error otherwise.
  mutating func text(_ name: String, characters: ClosedRange<Int> = 0...Int.max) -> String {
    guard let value = tree[name] else {
      note(name, "missing", "Field required")
      return ""
    }
    _ = faults.text(value, at: [.name("body"), .name(name)], characters)
    return value.string ?? ""
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
    faults.add([.name("body"), .name(name)], type, message)
  }

  func check() throws(Problem) { try faults.refuse() }
}
