import Codecs
import Records

/// A member of an object column that is a column of its own in a block.
struct MemberColumn: Sendable, Hashable {
  let field: String
  let member: String
  /// `int64`, `float64`, `bool` or `utf8`.
  let type: ColumnType
  /// The column's name in the file.
  let physicalName: String
  /// Rows whose value of this name is in the rest all the same; equal for all columns of a name.
  var restCount: Int
}

/// How columns made of members are called (Docs/formats/block.md).
enum MemberNames {
  /// The columns of `members` of object column `field`: the first type of each has the plain name.
  static func columns(of field: String, _ members: [ShredMember]) -> [MemberColumn] {
    var spellings: [Name: Int] = [:]
    for member in members { spellings[Name(folded(member.name)), default: 0] += 1 }
    return members.flatMap { member in
      let base = field + "." + escaped(member.name, upperCase: spellings[Name(folded(member.name))] ?? 1 > 1)
      return member.types.enumerated().map { index, type in
        MemberColumn(
          field: field, member: member.name, type: type,
          physicalName: index == 0 ? base : base + ":" + suffix(of: type), restCount: 0)
      }
    }
  }

  private static func suffix(of type: ColumnType) -> String {
    switch type {
    case .int64: "int64"
    case .float64: "float64"
    case .bool: "bool"
    case .utf8: "string"
    case .uuid, .json, .timestamp: bug("a type of scalar members")
    }
  }

  /// The name with ASCII letters in lower case: what readers that know no case compare.
  private static func folded(_ name: String) -> String {
    String(decoding: name.utf8.map { isUpperCase($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
  }

  private static func isUpperCase(_ byte: UInt8) -> Bool { (0x41...0x5A).contains(byte) }

  private static func escaped(_ name: String, upperCase: Bool) -> String {
    if name.isEmpty { return "%" }
    var result: [UInt8] = []
    for byte in name.utf8 {
      let isSpecial = byte < 0x20 || byte == 0x7F || byte == 0x25 || byte == 0x2E || byte == 0x3A
      if isSpecial || (upperCase && isUpperCase(byte)) {
        result.append(0x25)
        result += [byte >> 4, byte & 15].map { $0 < 10 ? 0x30 + $0 : 0x37 + $0 }
      } else {
        result.append(byte)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
