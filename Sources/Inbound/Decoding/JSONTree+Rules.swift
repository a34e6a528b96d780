import Codecs
import Records

extension JSONTree {
  /// The first name that an object in it has twice, by bytes; nil: none has.
  package var repeatedName: String? {
    switch self {
    case .object(let members):
      var seen: Set<Name> = []
      for member in members {
        if !seen.insert(Name(member.name)).inserted { return member.name }
        if let name = member.value.repeatedName { return name }
      }
      return nil
    case .array(let elements): return elements.lazy.compactMap(\.repeatedName).first
    case .null, .bool, .int64, .float64, .number, .string: return nil
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
