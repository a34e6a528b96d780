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

/// How columns made of members are called (Docs/formats/block.md): a name is of one type in all blocks, and
/// no two names differ by case alone, also to readers that know no case.
enum MemberNames {
  /// The columns of `members` of object column `field`.
  static func columns(of field: String, _ members: [ShredMember]) -> [MemberColumn] {
    members.flatMap { member in
      let base = field + "." + escaped(member.name)
      return member.types.map { type in
        MemberColumn(
          field: field, member: member.name, type: type, physicalName: base + suffix(of: type), restCount: 0)
      }
    }
  }

  private static func suffix(of type: ColumnType) -> String {
    switch type {
    case .utf8: ""
    case .int64: ":int64"
    case .float64: ":float64"
    case .bool: ":bool"
    case .uuid, .json, .timestamp: bug("a type of scalar members")
    }
  }

  /// The name with what has a meaning in names of columns, and what another letter stands for where case is
  /// not looked at, as `%` and digits; then which of its bytes are ASCII letters in upper case.
  private static func escaped(_ name: String) -> String {
    if name.isEmpty { return "%" }
    var result: [UInt8] = []
    var upperCase: [Int] = []
    var place = 0
    for scalar in name.unicodeScalars {
      let isSpecial = scalar.isASCII ? isSpecial(scalar) : !isItsOwnLowerCase(scalar)
      if (0x41...0x5A).contains(scalar.value) { upperCase.append(place) }
      for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
        if isSpecial {
          result += [0x25, digit(byte >> 4), digit(byte & 15)]
        } else {
          result.append(byte)
        }
        place += 1
      }
    }
    if let last = upperCase.last {
      var mask = [UInt8](repeating: 0, count: last / 4 + 1)
      for place in upperCase { mask[mask.count - 1 - place / 4] |= 1 << UInt8(place % 4) }
      result.append(0x5E)
      result += mask.map { $0 < 10 ? 0x30 + $0 : 0x57 + $0 }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// Control characters and `%`, `.`, `:`, `^`.
  private static func isSpecial(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F, 0x25, 0x2E, 0x3A, 0x5E: true
    default: false
    }
  }

  /// Whether a character beyond ASCII is what it and its upper case become in lower case.
  private static func isItsOwnLowerCase(_ scalar: Unicode.Scalar) -> Bool {
    let upper = scalar.properties.uppercaseMapping.unicodeScalars
    // One that becomes several in upper case, as ß does, is itself to those who compare one by one.
    let other = upper.count == 1 ? upper[upper.startIndex] : scalar
    return isLowered(scalar, to: scalar) && isLowered(other, to: scalar)
  }

  private static func isLowered(_ scalar: Unicode.Scalar, to wanted: Unicode.Scalar) -> Bool {
    let lower = scalar.properties.lowercaseMapping.unicodeScalars
    return lower.count == 1 && lower[lower.startIndex] == wanted
  }

  private static func digit(_ half: UInt8) -> UInt8 { half < 10 ? 0x30 + half : 0x37 + half }
}
