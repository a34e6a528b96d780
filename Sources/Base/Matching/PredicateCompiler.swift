import Codecs
import Records

/// Checks a predicate against a schema.
struct PredicateCompiler {
  /// The deepest nesting of a filter.
  static let depthMax = 128

  /// The most instructions that a filter's text patterns may need together, five of the largest: some tens of
  /// milliseconds to compile and 8 MiB to keep.
  static let instructionsMax = 100_000

  let schema: DatasetSchema
  /// What is left of ``instructionsMax``.
  private var instructionsLeft = PredicateCompiler.instructionsMax
  private(set) var paths: [ColumnPath] = []
  private var known: Set<ColumnPath> = []
  private let cancellation: CancellationToken?

  /// What the text patterns need so far.
  var instructionCount: Int { PredicateCompiler.instructionsMax - instructionsLeft }

  init(_ schema: DatasetSchema, cancellation: CancellationToken? = nil) {
    self.schema = schema
    self.cancellation = cancellation
  }

  mutating func compile(_ predicate: Predicate, depth: Int = 0) throws(StoreError) -> PredicateNode {
    guard depth < PredicateCompiler.depthMax else { throw .invalid("the filter nests too deeply") }
    switch predicate {
    case .all: return .all
    case .none: return .none
    case .and(let parts):
      return .all(of: try compile(parts, depth))
    case .or(let parts): return .any(of: try compile(parts, depth))
    case .not(let part): return .negation(of: try compile(part, depth: depth + 1))
    case .compare(let path, let comparison, let literal):
      let type = try type(of: path)
      return .leaf(
        PredicateLeaf(
          path: path, type: type, test: .values(try test(path, type, comparison, literal))))
    case .isIn(let path, let literals): return try compile(path, isIn: literals)
    case .contains(let path, let needle, let ignoreCase):
      return try compile(path, .contains(needle, ignoreCase: ignoreCase))
    case .word(let path, let word): return try compile(path, .word(word))
    case .regex(let path, let pattern, let ignoreCase):
      return try compile(path, .regex(pattern, ignoreCase: ignoreCase))
    case .prefix(let path, let prefix): return try compile(path, .prefix(prefix))
    case .exists(let path):
      return .leaf(PredicateLeaf(path: path, type: try type(of: path), test: .exists))
    }
  }

  static var tooLarge: StoreError {
    .invalid("the filter's text patterns are too large together: use fewer or smaller repetitions")
  }

  private mutating func compile(_ parts: [Predicate], _ depth: Int) throws(StoreError) -> [PredicateNode] {
    var nodes: [PredicateNode] = []
    for part in parts { nodes.append(try compile(part, depth: depth + 1)) }
    return nodes
  }

  private mutating func compile(_ path: ColumnPath, _ pattern: TextPattern) throws(StoreError)
    -> PredicateNode
  {
    let type = try type(of: path)
    guard type.isText else {
      throw .invalid(
        "the column \(path.column) holds \(PredicateCompiler.name(of: type)), not text to search in")
    }
    try cancellation?.check()
    let automaton = try TextAutomaton(pattern)
    instructionsLeft -= automaton.program.cost
    guard instructionsLeft >= 0 else { throw PredicateCompiler.tooLarge }
    return .leaf(PredicateLeaf(path: path, type: type, test: .text(automaton)))
  }

  private mutating func compile(_ path: ColumnPath, isIn literals: [Literal]) throws(StoreError)
    -> PredicateNode
  {
    let type = try type(of: path)
    var tests: [ValueTest] = []
    for literal in literals { tests.append(try test(path, type, .equal, literal)) }
    guard !tests.isEmpty else { return .none }
    func strings(_ tests: [TextTest]) -> TextTest? {
      let values = tests.compactMap { if case .compare(_, let bytes) = $0 { bytes } else { nil } }
      return values.isEmpty ? nil : .oneOf(Set(values).sorted { $0.lexicographicallyPrecedes($1) })
    }
    let numbers = tests.compactMap(\.numbers)
    let test = ValueTest(
      numbers: numbers.isEmpty ? nil : NumberTest(anyOf: numbers),
      text: strings(tests.compactMap(\.text)), uuids: strings(tests.compactMap(\.uuids)),
      passesTrue: tests.contains(where: \.passesTrue), passesFalse: tests.contains(where: \.passesFalse),
      equals: tests.flatMap { $0.equals ?? [] })
    return .leaf(PredicateLeaf(path: path, type: type, test: .values(test)))
  }

  // MARK: Columns and literals

  /// The type of the path's column; members have the type of their object.
  private mutating func type(of path: ColumnPath) throws(StoreError) -> ColumnType {
    guard let field = schema.field(path.column) else {
      throw .invalid("the dataset \(schema.name) has no column \(path.column)")
    }
    guard path.members.isEmpty || field.type == .json else {
      throw .invalid("the column \(path.column) is no object, so it has no members")
    }
    if known.insert(path).inserted { paths.append(path) }
    return field.type
  }

  static func name(of type: ColumnType) -> String {
    switch type {
    case .int64: "integers"
    case .float64: "numbers"
    case .bool: "booleans"
    case .utf8: "text"
    case .uuid: "ids"
    case .json: "objects"
    case .timestamp: "times"
    }
  }

  private func mismatch(_ path: ColumnPath, _ type: ColumnType) -> StoreError {
    .invalid(
      "the column \(path.column) holds \(PredicateCompiler.name(of: type)): it cannot be compared with the value given"
    )
  }

  private func test(
    _ path: ColumnPath, _ type: ColumnType, _ comparison: Comparison, _ literal: Literal
  ) throws(StoreError) -> ValueTest {
    var test = ValueTest()
    let converted = try PredicateCompiler.converted(literal, to: type, path)
    switch (type, converted) {
    case (.json, _) where path.members.isEmpty:
      throw .invalid("the column \(path.column) holds objects: compare one of its members")
    case (.int64, .int64(let value)), (.float64, .int64(let value)), (.json, .int64(let value)):
      test.numbers = NumberTest(comparison, value)
    case (.int64, .float64(let value)), (.float64, .float64(let value)), (.json, .float64(let value)):
      test.numbers = DecimalNumber(value).map { NumberTest(comparison, $0) }
    case (.int64, .number(let text)), (.float64, .number(let text)), (.json, .number(let text)):
      guard let number = DecimalNumber(text) else { throw mismatch(path, type) }
      test.numbers = NumberTest(comparison, number)
    case (.int64, .rounded(let value)), (.float64, .rounded(let value)), (.json, .rounded(let value)):
      test.numbers = NumberTest(comparison, rounded: value)
    case (.timestamp, .timestamp(let value)): test.numbers = NumberTest(comparison, value)
    case (.utf8, .string(let value)), (.json, .string(let value)):
      test.text = .compare(comparison, Array(value.utf8))
    case (.uuid, .uuid(let value)): test.uuids = .compare(comparison, value)
    case (.bool, .bool(let value)), (.json, .bool(let value)):
      guard comparison == .equal || comparison == .notEqual else {
        throw .invalid("booleans have no order: \(path) can only be equal or not")
      }
      test.passesTrue = value == (comparison == .equal)
      test.passesFalse = !test.passesTrue
    case (.json, .timestamp), (.json, .uuid):
      // JSON has no such values: nothing matches.
      break
    default: throw mismatch(path, type)
    }
    switch comparison {
    case .equal: test.equals = [converted]
    case .less, .lessOrEqual: test.upper = converted
    case .greater, .greaterOrEqual: test.lower = converted
    case .notEqual: break
    }
    return test
  }

  private static func time(_ number: Literal) -> Int64? {
    switch number {
    case .int64(let number): UnixTime.nanoseconds(number)
    case .float64(let number): UnixTime.nanoseconds(number)
    case .number(let text): UnixTime.nanoseconds(Array(text.utf8).span)
    default: nil
    }
  }

  /// Times may be given as text or numbers, ids as text.
  private static func converted(
    _ literal: Literal, to type: ColumnType, _ path: ColumnPath
  ) throws(StoreError) -> Literal {
    switch (type, literal) {
    case (.timestamp, .string(let text)):
      guard let time = RFC3339.parse(text) else {
        throw .invalid("\(path) is compared with a time that is not in RFC 3339 or out of range")
      }
      return .timestamp(time)
    case (.timestamp, .int64), (.timestamp, .float64), (.timestamp, .number):
      guard let time = PredicateCompiler.time(literal) else {
        throw .invalid("\(path) is compared with a number that is no time between the years 1677 and 2262")
      }
      return .timestamp(time)
    case (.uuid, .string(let text)):
      guard let id = UUIDv7.parse(text) else {
        throw .invalid("\(path) is compared with an id that is no UUID")
      }
      return .uuid(id)
    case (.uuid, .uuid(let bytes)) where bytes.count != 16:
      throw .invalid("\(path) is compared with an id that is no UUID")
    default: return literal
    }
  }
}
