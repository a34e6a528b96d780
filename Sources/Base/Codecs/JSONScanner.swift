/// What a JSON value is, told from its first byte.
public enum JSONKind: UInt8, Sendable, Hashable {
  case object, array, string, number, `true`, `false`, null
}

/// Reads JSON text that was checked when it came in: the object columns of batches. Such text has no white
/// space, no duplicate keys and only the escapes it must have. On other bytes the answers are of no use,
/// but nothing traps.
///
/// Values are ranges of bytes in the text: a string's with its quotes, a key's without.
public enum JSONScanner {
  /// The kind of the value that starts at `start`, or nil if none can.
  @inlinable
  public static func kind(_ text: Span<UInt8>, at start: Int) -> JSONKind? {
    guard start >= 0, start < text.count else { return nil }
    switch text[start] {
    case 0x7B: return .object
    case 0x5B: return .array
    case 0x22: return .string
    case 0x2D, 0x30...0x39: return .number
    case 0x74: return .true
    case 0x66: return .false
    case 0x6E: return .null
    default: return nil
    }
  }

  /// Offset of the byte behind the value that starts at `start`.
  public static func skipValue(_ text: Span<UInt8>, from start: Int) -> Int {
    unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress, start >= 0, start < bytes.count else { return bytes.count }
      return unsafe skip(base, start, bytes.count)
    }
  }

  /// Offset of the first byte from `start` on that is no white space.
  @inlinable
  public static func skipSpace(_ text: Span<UInt8>, from start: Int) -> Int {
    var at = max(start, 0)
    while at < text.count {
      let byte = text[at]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { break }
      at += 1
    }
    return at
  }

  /// The member `path` names, from the object at `start` inwards; nil if there is none.
  public static func member(
    _ text: Span<UInt8>, object start: Int = 0, path: [[UInt8]]
  ) -> (value: Range<Int>, kind: JSONKind)? {
    var at = start
    var found: (Range<Int>, JSONKind)?
    for name in path {
      var members = JSONMembers(text, object: at)
      found = nil
      while members.next(text) {
        if members.keyEquals(text, name) {
          found = (members.value, members.kind)
          at = members.value.lowerBound
          break
        }
      }
      if found == nil { return nil }
    }
    return found
  }

  /// Appends what the string at `range` (quotes included) stands for.
  public static func appendUnescaped(_ text: Span<UInt8>, _ range: Range<Int>, to output: inout [UInt8]) {
    guard range.count >= 2, range.lowerBound >= 0, range.upperBound <= text.count else { return }
    appendUnescapedInside(text, range.lowerBound + 1..<range.upperBound - 1, to: &output)
  }

  /// What the string at `range` (quotes included), which was checked, stands for.
  public static func text(_ body: [UInt8], _ range: Range<Int>) -> String {
    let inside = range.lowerBound + 1..<range.upperBound - 1
    guard body[inside].contains(UInt8(ascii: "\\")) else {
      return String(decoding: body[inside], as: UTF8.self)
    }
    var bytes: [UInt8] = []
    appendUnescapedInside(body.span, inside, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Appends what the inside of a string (a key's range, or a string without its quotes) stands for.
  public static func appendUnescapedInside(
    _ text: Span<UInt8>, _ range: Range<Int>, to output: inout [UInt8]
  ) {
    guard range.lowerBound >= 0, range.upperBound <= text.count, !range.isEmpty else { return }
    unsafe text.extracting(range).withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      unsafe output.append(
        contentsOf: [UInt8](unsafeUninitializedCapacity: source.count) { buffer, count in
          guard let out = buffer.baseAddress else { return }
          // Within bounds: what a string stands for is never longer than its text.
          count = unsafe Unescape.write(base, source.count, to: out)
        })
    }
  }

  /// What the string at `range` (quotes included) stands for.
  package static func string(_ text: Span<UInt8>, _ range: Range<Int>) -> String {
    var bytes: [UInt8] = []
    appendUnescaped(text, range, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Index behind the value at `start` < `count`.
  @unsafe
  static func skip(_ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int {
    var at = start
    var depth = 0
    repeat {
      // Within bounds: `at` < `count` here and after each step of the loop.
      switch unsafe base[at] {
      case 0x22: at = unsafe skipString(base, at, count)
      case 0x7B, 0x5B:
        depth += 1
        at += 1
      case 0x7D, 0x5D:
        depth -= 1
        at += 1
      case 0x2C, 0x3A, 0x20, 0x09, 0x0A, 0x0D:
        if depth == 0 { return at }
        at += 1
      default:
        at = unsafe skipScalar(base, at + 1, count)
      }
    } while depth > 0 && at < count
    return at
  }

  /// Index behind the string whose opening quote is at `start`.
  @unsafe
  private static func skipString(_ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int {
    var at = start + 1
    while at < count {
      at = unsafe StringScan.nextEscape(base, at, count)
      guard at < count else { return count }
      switch unsafe base[at] {
      case 0x22: return at + 1
      case 0x5C: at += 2
      default: at += 1
      }
    }
    return count
  }

  @unsafe
  private static func skipScalar(_ base: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int {
    var at = start
    while at < count {
      switch unsafe base[at] {
      case 0x2C, 0x7D, 0x5D, 0x3A, 0x20, 0x09, 0x0A, 0x0D: return at
      default: at += 1
      }
    }
    return count
  }
}

/// Walks the members of an object in checked JSON text, in order. Holds offsets only: give it the same text
/// each time.
public struct JSONMembers: Sendable {
  /// The key's bytes without its quotes, escapes not resolved.
  public private(set) var key: Range<Int> = 0..<0
  public private(set) var value: Range<Int> = 0..<0
  public private(set) var kind: JSONKind = .null
  /// Whether the key holds a backslash, so that its bytes are not what it stands for.
  public private(set) var keyHasEscapes = false
  private var at: Int

  /// Starts before the first member of the object whose brace is at `start`; empty if there is no object.
  public init(_ text: Span<UInt8>, object start: Int = 0) {
    let open = JSONScanner.skipSpace(text, from: start)
    at = open < text.count && text[open] == 0x7B ? open + 1 : text.count
  }

  /// Moves to the next member; false behind the last.
  public mutating func next(_ text: Span<UInt8>) -> Bool {
    unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return false }
      return unsafe next(base, bytes.count)
    }
  }

  @unsafe
  private mutating func next(_ base: UnsafePointer<UInt8>, _ count: Int) -> Bool {
    var index = at
    while index < count, unsafe base[index] != 0x22 {
      if unsafe base[index] == 0x7D { return end(count) }
      index += 1
    }
    guard index < count else { return end(count) }
    let keyStart = index + 1
    keyHasEscapes = false
    var keyEnd = keyStart
    while true {
      keyEnd = unsafe StringScan.nextEscape(base, keyEnd, count)
      guard keyEnd < count else { return end(count) }
      if unsafe base[keyEnd] == 0x22 { break }
      keyHasEscapes = true
      keyEnd += unsafe base[keyEnd] == 0x5C ? 2 : 1
    }
    index = keyEnd + 1
    while index < count, unsafe base[index] == 0x3A || base[index] <= 0x20 { index += 1 }
    guard index < count, let found = unsafe JSONScanner.kind(of: base[index]) else { return end(count) }
    key = keyStart..<keyEnd
    kind = found
    let stop = unsafe JSONScanner.skip(base, index, count)
    value = index..<stop
    at = stop
    return true
  }

  private mutating func end(_ count: Int) -> Bool {
    at = count
    return false
  }

  /// Whether the current key stands for exactly the bytes `name`.
  public func keyEquals(_ text: Span<UInt8>, _ name: [UInt8]) -> Bool {
    if keyHasEscapes {
      var plain: [UInt8] = []
      JSONScanner.appendUnescapedInside(text, key, to: &plain)
      return plain == name
    }
    guard key.count == name.count, key.upperBound <= text.count else { return false }
    var index = key.lowerBound
    for byte in name {
      if text[index] != byte { return false }
      index += 1
    }
    return true
  }

  /// What the current key stands for.
  package func keyText(_ text: Span<UInt8>) -> String {
    var bytes: [UInt8] = []
    JSONScanner.appendUnescapedInside(text, key, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Walks the elements of an array in checked JSON text. Holds offsets only: give it the same text each time.
public struct JSONElements: Sendable {
  public private(set) var value: Range<Int> = 0..<0
  public private(set) var kind: JSONKind = .null
  private var at: Int

  /// Starts before the first element of the array whose bracket is at `start`; empty if there is no array.
  public init(_ text: Span<UInt8>, array start: Int = 0) {
    let open = JSONScanner.skipSpace(text, from: start)
    at = open < text.count && text[open] == 0x5B ? open + 1 : text.count
  }

  /// Starts before the first of the values from `start` on, which have commas between them and no brackets
  /// around them.
  public init(_ text: Span<UInt8>, list start: Int) { at = start }

  /// Moves to the next element; false behind the last.
  public mutating func next(_ text: Span<UInt8>) -> Bool {
    while at < text.count, text[at] == 0x2C || text[at] <= 0x20 { at += 1 }
    guard let found = JSONScanner.kind(text, at: at) else {
      at = text.count
      return false
    }
    let stop = JSONScanner.skipValue(text, from: at)
    value = at..<stop
    kind = found
    at = stop
    return true
  }
}

extension JSONScanner {
  @inline(__always)
  static func kind(of byte: UInt8) -> JSONKind? {
    switch byte {
    case 0x7B: .object
    case 0x5B: .array
    case 0x22: .string
    case 0x2D, 0x30...0x39: .number
    case 0x74: .true
    case 0x66: .false
    case 0x6E: .null
    default: nil
    }
  }
}
