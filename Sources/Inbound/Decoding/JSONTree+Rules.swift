import Codecs

extension JSONTree {
  /// Of members with equal names only the last, at every depth. Names are compared by their bytes: Swift's
  /// strings would take canonical equivalents for equal.
  package var withDistinctNames: JSONTree {
    switch self {
    case .object(let members):
      var last: [[UInt8]: Int] = [:]
      for (index, member) in members.enumerated() { last[Array(member.name.utf8)] = index }
      return .object(
        members.enumerated().filter { last[Array($0.element.name.utf8)] == $0.offset }.map {
          Member($0.element.name, $0.element.value.withDistinctNames)
        })
    case .array(let elements): return .array(elements.map(\.withDistinctNames))
    case .null, .bool, .int64, .float64, .number, .string: return self
    }
  }

  /// Whether a text in it, names included, has a NUL.
  package var hasNUL: Bool {
    switch self {
    case .object(let members): members.contains { $0.name.utf8.contains(0) || $0.value.hasNUL }
    case .array(let elements): elements.contains(where: \.hasNUL)
    case .string(let text): text.utf8.contains(0)
    case .null, .bool, .int64, .float64, .number: false
    }
  }
}
