/// Objects that name what they hold: `{"name":"Authorization","value":"Basic …"}`. Their value is hidden as a
/// member of that name would be, whichever comes first.
package enum NamedPair {
  /// Longer texts are no names.
  package static let nameBytesMax = 64
  /// Beside a rule's number: the member says what another one is called, or is that other one.
  static let isName: UInt16 = 0x8000
  static let isValue: UInt16 = 0x4000
  static let ruleMask: UInt16 = 0x3FFF

  private static let names = ["name", "key", "header", "field", "param", "parameter", "attribute", "k"].map {
    Array($0.utf8)
  }
  private static let values = ["value", "val", "v", "values"].map { Array($0.utf8) }

  /// What a member called `name` is in such an object, as a bit; 0: neither.
  static func role(of name: Span<UInt8>) -> UInt16 {
    if names.contains(where: { equals(name, $0) }) { return isName }
    return values.contains(where: { equals(name, $0) }) ? isValue : 0
  }

  private static func equals(_ name: Span<UInt8>, _ word: [UInt8]) -> Bool {
    guard name.count == word.count else { return false }
    for index in name.indices where name[index] | 0x20 != word[index] { return false }
    return true
  }

  /// The rule each of an object's members is hidden by for what the object says of it; empty if it says
  /// nothing. A list or object counts only behind its name.
  ///
  /// - Parameter rule: That of a member's name.
  package static func rules(of members: [JSONTree.Member], _ rule: (Span<UInt8>) -> UInt16) -> [UInt16] {
    let roles = members.map { role(of: Array($0.name.utf8).span) }
    guard roles.contains(isName), roles.contains(isValue) else { return [] }
    var named: UInt16 = 0
    var position = members.count
    for (index, member) in members.enumerated() where roles[index] == isName && named == 0 {
      guard case .string(let text) = member.value, text.utf8.count <= nameBytesMax else { continue }
      named = rule(Array(text.utf8).span)
      position = index
    }
    guard named != 0 else { return [] }
    return members.indices.map { index in
      guard roles[index] == isValue else { return 0 }
      switch members[index].value {
      case .object, .array: return index > position ? named : 0
      case .null, .bool, .int64, .float64, .number, .string: return named
      }
    }
  }
}

/// What an object that is being rewritten said of names and values so far.
struct PairState {
  /// A value that came before its name.
  struct Waiting {
    /// Where it begins in the body.
    let source: Int
    /// In scratch.
    let range: Range<Int>
    /// Among the object's members.
    let index: Int
    /// What was noted of it.
    let noted: Range<Int>
  }

  /// The rule of the name; 0: none, or no name yet.
  var rule: UInt16 = 0
  var waiting: [Waiting] = []
}
