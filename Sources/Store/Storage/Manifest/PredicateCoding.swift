import Codecs
import Records

/// Predicates as the bytes of Docs/formats/manifest.md.
enum PredicateCoding {
  /// Of predicates with numbers that are compared exactly; others are of version 1, as all were before.
  static let version: UInt8 = 2
  /// Deeper than any filter a request may have, shallow enough for any stack.
  static let depthMax = 128

  static func encode(_ predicate: Predicate) -> [UInt8] {
    var bytes: [UInt8] = [1]
    append(predicate, to: &bytes)
    return bytes
  }

  /// Whether ``decode(_:)`` will take what ``encode(_:)`` makes of it.
  static func isEncodable(_ predicate: Predicate, depth: Int = 0) -> Bool {
    guard depth < depthMax else { return false }
    switch predicate {
    case .and(let parts), .or(let parts): return parts.allSatisfy { isEncodable($0, depth: depth + 1) }
    case .not(let part): return isEncodable(part, depth: depth + 1)
    case .all, .none, .compare, .isIn, .contains, .word, .regex, .prefix, .exists: return true
    }
  }

  static func decode(_ bytes: [UInt8]) throws(ManifestCodingError) -> Predicate {
    var reader = ByteReader(bytes)
    let found = try reader.byte()
    guard found <= version else { throw reader.unknown("predicate version \(found)") }
    guard found > 0 else { throw reader.error("an impossible predicate version") }
    let predicate = try read(&reader, depth: 0)
    guard reader.isAtEnd else { throw reader.error("bytes behind the predicate") }
    return predicate
  }

  private static func append(_ predicate: Predicate, to bytes: inout [UInt8]) {
    switch predicate {
    case .all: bytes.append(0)
    case .none: bytes.append(1)
    case .and(let parts): append(parts, code: 2, to: &bytes)
    case .or(let parts): append(parts, code: 3, to: &bytes)
    case .not(let part):
      bytes.append(4)
      append(part, to: &bytes)
    case .compare(let path, let comparison, let literal):
      append(path, code: 5, to: &bytes)
      bytes.append(code(of: comparison))
      append(literal, to: &bytes)
    case .isIn(let path, let literals):
      append(path, code: 6, to: &bytes)
      bytes.append(count: literals.count)
      for literal in literals { append(literal, to: &bytes) }
    case .contains(let path, let needle, let ignoreCase):
      append(path, code: 7, to: &bytes)
      bytes.append(text: needle)
      bytes.append(ignoreCase ? 1 : 0)
    case .word(let path, let word):
      append(path, code: 8, to: &bytes)
      bytes.append(text: word)
    case .regex(let path, let pattern, let ignoreCase):
      append(path, code: 9, to: &bytes)
      bytes.append(text: pattern)
      bytes.append(ignoreCase ? 1 : 0)
    case .prefix(let path, let prefix):
      append(path, code: 10, to: &bytes)
      bytes.append(text: prefix)
    case .exists(let path): append(path, code: 11, to: &bytes)
    }
  }

  private static func append(_ parts: [Predicate], code: UInt8, to bytes: inout [UInt8]) {
    bytes.append(code)
    bytes.append(count: parts.count)
    for part in parts { append(part, to: &bytes) }
  }

  private static func append(_ path: ColumnPath, code: UInt8, to bytes: inout [UInt8]) {
    bytes.append(code)
    bytes.append(text: path.column)
    bytes.append(count: path.members.count)
    for member in path.members { bytes.append(text: member) }
  }

  private static func append(_ literal: Literal, to bytes: inout [UInt8]) {
    switch literal {
    case .string(let text):
      bytes.append(0)
      bytes.append(text: text)
    case .int64(let value):
      bytes.append(1)
      Varint.append(signed: value, to: &bytes)
    case .float64(let value): append(number: JSONNumber.format(value), to: &bytes)
    case .number(let text): append(number: text, to: &bytes)
    case .rounded(let value):
      bytes.append(2)
      bytes.append(littleEndian: value.bitPattern)
    case .bool(let value): bytes += [3, value ? 1 : 0]
    case .timestamp(let value):
      bytes.append(4)
      Varint.append(signed: value, to: &bytes)
    case .uuid(let value):
      invariant(value.count == 16, "a UUID has 16 bytes")
      bytes.append(5)
      bytes += value
    }
  }

  /// Older versions, which would compare it with what rounds to the same double, must not read it.
  private static func append(number text: String, to bytes: inout [UInt8]) {
    bytes[0] = version
    bytes.append(6)
    bytes.append(text: text)
  }

  private static let comparisons: [Comparison] = [
    .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual,
  ]

  private static func code(of comparison: Comparison) -> UInt8 {
    switch comparison {
    case .equal: 0
    case .notEqual: 1
    case .less: 2
    case .lessOrEqual: 3
    case .greater: 4
    case .greaterOrEqual: 5
    }
  }

  private static func read(_ reader: inout ByteReader, depth: Int) throws(ManifestCodingError) -> Predicate {
    guard depth < depthMax else { throw reader.error("a predicate nested too deep") }
    switch try reader.byte() {
    case 0: return .all
    case 1: return .none
    case 2: return .and(try readParts(&reader, depth: depth))
    case 3: return .or(try readParts(&reader, depth: depth))
    case 4: return .not(try read(&reader, depth: depth + 1))
    case 5:
      let path = try readPath(&reader)
      let code = Int(try reader.byte())
      guard code < comparisons.count else { throw reader.error("an unknown comparison") }
      return .compare(path, comparisons[code], try readLiteral(&reader))
    case 6:
      let path = try readPath(&reader)
      var literals: [Literal] = []
      for _ in 0..<(try reader.count()) { literals.append(try readLiteral(&reader)) }
      return .isIn(path, literals)
    case 7: return .contains(try readPath(&reader), needle: try reader.text(), ignoreCase: try reader.bool())
    case 8: return .word(try readPath(&reader), try reader.text())
    case 9: return .regex(try readPath(&reader), pattern: try reader.text(), ignoreCase: try reader.bool())
    case 10: return .prefix(try readPath(&reader), try reader.text())
    case 11: return .exists(try readPath(&reader))
    default: throw reader.error("an unknown kind of predicate")
    }
  }

  private static func readParts(
    _ reader: inout ByteReader, depth: Int
  ) throws(ManifestCodingError) -> [Predicate] {
    var parts: [Predicate] = []
    for _ in 0..<(try reader.count()) { parts.append(try read(&reader, depth: depth + 1)) }
    return parts
  }

  private static func readPath(_ reader: inout ByteReader) throws(ManifestCodingError) -> ColumnPath {
    let column = try reader.text()
    var members: [String] = []
    for _ in 0..<(try reader.count()) { members.append(try reader.text()) }
    return ColumnPath(column, members: members)
  }

  private static func readLiteral(_ reader: inout ByteReader) throws(ManifestCodingError) -> Literal {
    switch try reader.byte() {
    case 0: return .string(try reader.text())
    case 1: return .int64(try reader.signed())
    case 2: return .rounded(Double(bitPattern: try reader.raw(8).littleEndian(UInt64.self, at: 0)))
    case 3: return .bool(try reader.bool())
    case 4: return .timestamp(try reader.signed())
    case 5: return .uuid(try reader.raw(16))
    case 6:
      guard let literal = Literal(number: try reader.text()) else { throw reader.error("not a number") }
      return literal
    default: throw reader.error("an unknown kind of literal")
    }
  }
}
