import Records

/// Reads JSON text from outside (RFC 8259), value by value, and builds only what it is asked for. Broken
/// UTF-8, lone surrogates, more than ``JSONTree/nestingMax`` levels and, unless it is lenient, NUL and
/// repeated names are errors, whether a value is built or skipped.
///
/// Checking takes no memory but a hash a name of the objects that are open.
package struct JSONReader {
  /// Names in one object beyond it are an error: what tells repeated ones must have a bound.
  package static let namesMax = 1 << 17

  let text: [UInt8]
  let isLenient: Bool
  let keepsNumberTexts: Bool
  /// Offset of the next byte to read.
  package internal(set) var at: Int
  /// What a tree of all that was skipped would take, in bytes: arrays that grow hold their elements three
  /// times for a moment.
  package private(set) var treeBytes = 0
  private var depth = 0

  /// - Parameters:
  ///   - start: Where the first value begins, white space before it not counted. At the text's start a UTF-8
  ///     byte order mark is passed over too (RFC 8259, §8.1).
  ///   - keepsNumberTexts: Numbers that a tree would print otherwise (`12.50`) become `.number`, so that
  ///     records come back as they were sent.
  package init(
    _ text: [UInt8], from start: Int = 0, isLenient: Bool = false, keepsNumberTexts: Bool = false
  ) {
    self.text = text
    self.keepsNumberTexts = keepsNumberTexts
    self.isLenient = isLenient
    at = start == 0 && text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : start
  }

  /// An error here.
  func error(_ reason: String) -> JSONTree.SyntaxError {
    JSONTree.SyntaxError(offsetBytes: at, reason: reason)
  }

  private func repeated(_ name: String) -> JSONTree.SyntaxError {
    let name = name.told
    return JSONTree.SyntaxError(
      offsetBytes: at, reason: "the name \"\(name)\" twice in one object", repeatedName: name)
  }

  /// The first byte of what comes next, behind white space; nil at the end.
  package mutating func peek() -> UInt8? {
    while at < text.count {
      let byte = text[at]
      guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
      at += 1
    }
    return nil
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    at += 1
    return true
  }

  /// Goes on at `offset`, which must be behind a value.
  package mutating func move(to offset: Int) { at = offset }

  /// - Throws: Something comes behind the value.
  package mutating func end() throws(JSONTree.SyntaxError) {
    guard peek() == nil else { throw error("text behind the value") }
  }

  // MARK: Containers, walked by the caller

  /// Steps behind the bracket or brace that ``peek()`` told of.
  package mutating func open() throws(JSONTree.SyntaxError) {
    depth += 1
    guard depth <= JSONTree.nestingMax else { throw error("nested deeper than \(JSONTree.nestingMax)") }
    at += 1
  }

  /// Whether the open array has another element, which is read next.
  package mutating func hasElement(isFirst: Bool) throws(JSONTree.SyntaxError) -> Bool {
    if take(UInt8(ascii: "]")) {
      depth -= 1
      return false
    }
    guard isFirst || take(UInt8(ascii: ",")) else { throw error("a comma or the array's end") }
    return true
  }

  /// The name of the open object's next member, whose value is read next; nil behind the last.
  ///
  /// - Parameter names: Of this object alone; starts empty.
  package mutating func member(_ names: inout JSONNames) throws(JSONTree.SyntaxError) -> String? {
    guard try hasMember(names) else { return nil }
    let (inside, hasEscapes) = try checkString()
    let name = string(inside, hasEscapes)
    try note(&names, inside, hasEscapes)
    return name
  }

  private mutating func skipMember(_ names: inout JSONNames) throws(JSONTree.SyntaxError) -> Bool {
    guard try hasMember(names) else { return false }
    let (inside, hasEscapes) = try checkString()
    treeBytes += 64 + (inside.count > 15 ? inside.count + 32 : 0)
    try note(&names, inside, hasEscapes)
    return true
  }

  private mutating func hasMember(_ names: JSONNames) throws(JSONTree.SyntaxError) -> Bool {
    if take(UInt8(ascii: "}")) {
      depth -= 1
      return false
    }
    guard names.count == 0 || take(UInt8(ascii: ",")) else { throw error("a comma or the object's end") }
    guard peek() == UInt8(ascii: "\"") else { throw error("a member's name is a string") }
    return true
  }

  private mutating func note(
    _ names: inout JSONNames, _ inside: Range<Int>, _ hasEscapes: Bool
  ) throws(JSONTree.SyntaxError) {
    if isLenient {
      names.count += 1
    } else {
      let isNew = names.insert(hasEscapes ? hash(of: string(inside, true)) : hash(of: inside))
      guard isNew else { throw repeated(string(inside, hasEscapes)) }
      guard names.count <= JSONReader.namesMax else { throw error("too many names in one object") }
    }
    guard take(UInt8(ascii: ":")) else { throw error("a colon behind the name") }
  }

  private func hash(of inside: Range<Int>) -> UInt64 {
    var hash = JSONNames.seed
    for index in inside { JSONNames.mix(text[index], into: &hash) }
    return hash
  }

  private func hash(of name: String) -> UInt64 {
    var hash = JSONNames.seed
    for byte in name.utf8 { JSONNames.mix(byte, into: &hash) }
    return hash
  }

  // MARK: Values

  /// The value at hand as a tree.
  package mutating func value() throws(JSONTree.SyntaxError) -> JSONTree {
    guard let first = peek() else { throw error("the text ends early") }
    switch first {
    case UInt8(ascii: "{"): return .object(try members())
    case UInt8(ascii: "["):
      try open()
      var elements: [JSONTree] = []
      while try hasElement(isFirst: elements.isEmpty) { elements.append(try value()) }
      return .array(elements)
    case UInt8(ascii: "\""):
      let (inside, hasEscapes) = try checkString()
      return .string(string(inside, hasEscapes))
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return try number()
    }
  }

  /// The members of the object at hand as trees.
  package mutating func members() throws(JSONTree.SyntaxError) -> [JSONTree.Member] {
    try open()
    var members: [JSONTree.Member] = []
    var names = JSONNames()
    while let name = try member(&names) { members.append(JSONTree.Member(name, try value())) }
    return members
  }

  /// Those members of the object at hand that have one of these names, as trees, and how many it has in all.
  package mutating func members(
    named wanted: Set<Name>
  ) throws(JSONTree.SyntaxError) -> (members: [JSONTree.Member], count: Int) {
    try open()
    var members: [JSONTree.Member] = []
    var names = JSONNames()
    while let name = try member(&names) {
      if wanted.contains(Name(name)) {
        members.append(JSONTree.Member(name, try value()))
      } else {
        try skip()
      }
    }
    return (members, names.count)
  }

  /// As ``members(named:)``, each value as ``scalar()`` reads it.
  package mutating func scalars(named wanted: Set<Name>) throws(JSONTree.SyntaxError) -> [JSONTree.Member] {
    try open()
    var members: [JSONTree.Member] = []
    var names = JSONNames()
    while let name = try member(&names) {
      if wanted.contains(Name(name)) {
        members.append(JSONTree.Member(name, try scalar()))
      } else {
        try skip()
      }
    }
    return members
  }

  /// The value at hand, if it is no container; an empty container for one, which is checked.
  package mutating func scalar() throws(JSONTree.SyntaxError) -> JSONTree {
    switch peek() {
    case UInt8(ascii: "{"):
      try skip()
      return .object([])
    case UInt8(ascii: "["):
      try skip()
      return .array([])
    default: return try value()
    }
  }

  /// Checks the value at hand and builds nothing. Adds to ``treeBytes``.
  package mutating func skip() throws(JSONTree.SyntaxError) {
    guard let first = peek() else { throw error("the text ends early") }
    treeBytes += 72
    switch first {
    case UInt8(ascii: "{"):
      try open()
      treeBytes += 64
      var names = JSONNames()
      while try skipMember(&names) { try skip() }
    case UInt8(ascii: "["):
      try open()
      treeBytes += 64
      var isFirst = true
      while try hasElement(isFirst: isFirst) {
        isFirst = false
        try skip()
      }
    case UInt8(ascii: "\""):
      let (inside, _) = try checkString()
      if inside.count > 15 { treeBytes += inside.count + 32 }
    case UInt8(ascii: "t"): _ = try word("true", .null)
    case UInt8(ascii: "f"): _ = try word("false", .null)
    case UInt8(ascii: "n"): _ = try word("null", .null)
    default:
      let digits = try checkNumber()
      if digits.count > 15 { treeBytes += digits.count + 32 }
    }
  }

  /// What a tree of the value at hand would take, in bytes, and where the value ends: checked, not read.
  ///
  /// - Parameter wanted: Of an object, only members of these names are counted; nil: all are.
  package func measure(
    named wanted: Set<Name>? = nil
  ) throws(JSONTree.SyntaxError) -> (treeBytes: Int, end: Int) {
    var probe = self
    probe.treeBytes = 0
    guard let wanted, probe.peek() == UInt8(ascii: "{") else {
      try probe.skip()
      return (probe.treeBytes, probe.at)
    }
    try probe.open()
    var names = JSONNames()
    while let name = try probe.member(&names) {
      let before = probe.treeBytes
      try probe.skip()
      probe.treeBytes = wanted.contains(Name(name)) ? probe.treeBytes + 64 : before
    }
    return (probe.treeBytes, probe.at)
  }

  private mutating func word(_ word: String, _ value: JSONTree) throws(JSONTree.SyntaxError) -> JSONTree {
    guard text[at...].starts(with: word.utf8) else { throw error("not a JSON value") }
    at += word.utf8.count
    return value
  }
}

/// The names of one object, as hashes: names with equal hashes are taken for equal.
package struct JSONNames {
  static let seed: UInt64 = 0xCBF2_9CE4_8422_2325
  /// Above it a set is faster than looking at all.
  private static let listedMax = 16

  /// How many members the object has had so far.
  package internal(set) var count = 0
  private var listed: [UInt64] = []
  private var set: Set<UInt64> = []

  /// None yet.
  package init() {}

  @inline(__always)
  static func mix(_ byte: UInt8, into hash: inout UInt64) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }

  /// Whether the name is new.
  mutating func insert(_ hash: UInt64) -> Bool {
    count += 1
    if count > JSONNames.listedMax {
      if set.isEmpty { set = Set(listed) }
      return set.insert(hash).inserted
    }
    if listed.contains(hash) { return false }
    listed.append(hash)
    return true
  }
}
