import Records

/// Elements of a list as lines: a file that is one list of objects, `[{…},{…}]`, or one object with a list,
/// as CloudTrail's `{"Records":[…]}` and Azure's `{"records":[…]}`. What is no such list comes out as it is.
/// Pure: the same bytes give the same lines, in whatever pieces they come.
package struct ListLines {
  private enum State {
    /// Before a list: what was read of it is in ``opening``.
    case opening
    /// Between elements.
    case between
    /// In an element that is an object or a list, or in a number or a word.
    case nested(depth: Int), plain
    /// In a text, which is an element itself at depth 0.
    case text(depth: Int), escaped(depth: Int)
    /// Behind a list.
    case behind
    /// It is no list: the rest is passed on.
    case passing
  }

  private enum Step { case more, begun, failed }

  /// A longer beginning is that of no list.
  private static let openingBytesMax = 64

  private var state = State.opening
  private var opening: [UInt8] = []
  /// Whether the list lies in an object.
  private var isWrapped = false

  package init() {}

  /// Whether a file that begins so is such a list, as far as its beginning tells: of objects or of nothing,
  /// and with nothing behind it but another.
  package static func areIn(_ head: [UInt8]) -> Bool {
    var lines = ListLines()
    var first: UInt8?
    var text: [UInt8] = []
    for byte in head {
      if first == nil, case .between = lines.state, byte > 0x20 { first = byte }
      lines.read(byte, into: &text)
      if case .passing = lines.state { return false }
      if let first, first != UInt8(ascii: "{"), first != UInt8(ascii: "]") { return false }
    }
    return first != nil
  }

  /// Whether a list has begun and not ended.
  package var isOpen: Bool {
    switch state {
    case .between, .nested, .plain, .text, .escaped: true
    case .opening, .behind, .passing: false
    }
  }

  /// The lines of these bytes; of the last element as far as it came.
  ///
  /// - Parameter atEnd: No more bytes come.
  package mutating func decode(_ bytes: [UInt8], atEnd: Bool) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(bytes.count + 16)
    for byte in bytes { read(byte, into: &text) }
    guard atEnd else { return text }
    // An element that goes on where the file ends now has no line end yet.
    if case .opening = state { text += opening }
    return text
  }

  private mutating func read(_ byte: UInt8, into text: inout [UInt8]) {
    switch state {
    case .passing: text.append(byte)
    case .opening:
      switch open(byte) {
      case .more: break
      case .begun: state = .between
      case .failed:
        text += opening
        state = .passing
      }
    case .behind:
      if byte <= 0x20 { return }
      if isWrapped, byte == UInt8(ascii: "}") {
        isWrapped = false
        return
      }
      // Another list, or something else.
      (state, opening, isWrapped) = (.opening, [], false)
      read(byte, into: &text)
    case .between: begin(byte, into: &text)
    case .plain:
      if byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") {
        text.append(0x0A)
        state = byte == UInt8(ascii: ",") ? .between : .behind
      } else if byte > 0x20 {
        text.append(byte)
      }
    case .nested(let depth): go(on: byte, depth, into: &text)
    case .text(let depth):
      text.append(byte == 0x0A || byte == 0x0D ? 0x20 : byte)
      if byte == UInt8(ascii: "\\") {
        state = .escaped(depth: depth)
      } else if byte == UInt8(ascii: "\"") {
        state = depth > 0 ? .nested(depth: depth) : .between
        if depth == 0 { text.append(0x0A) }
      }
    case .escaped(let depth):
      text.append(byte == 0x0A || byte == 0x0D ? 0x20 : byte)
      state = .text(depth: depth)
    }
  }

  private mutating func begin(_ byte: UInt8, into text: inout [UInt8]) {
    switch byte {
    case 0...0x20, UInt8(ascii: ","): return
    case UInt8(ascii: "]"): state = .behind
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      text.append(byte)
      state = .nested(depth: 1)
    case UInt8(ascii: "\""):
      text.append(byte)
      state = .text(depth: 0)
    default:
      text.append(byte)
      state = .plain
    }
  }

  private mutating func go(on byte: UInt8, _ depth: Int, into text: inout [UInt8]) {
    // Line ends within an element are white space.
    text.append(byte == 0x0A || byte == 0x0D ? 0x20 : byte)
    switch byte {
    case UInt8(ascii: "\""): state = .text(depth: depth)
    case UInt8(ascii: "{"), UInt8(ascii: "["): state = .nested(depth: depth + 1)
    case UInt8(ascii: "}"), UInt8(ascii: "]"):
      state = depth > 1 ? .nested(depth: depth - 1) : .between
      if depth == 1 { text.append(0x0A) }
    default: break
    }
  }

  /// Reads the beginning of a list: `[`, or `{ "Records" : [`.
  private mutating func open(_ byte: UInt8) -> Step {
    opening.append(byte)
    guard opening.count <= ListLines.openingBytesMax else { return .failed }
    let seen = opening.filter { $0 > 0x20 }
    if seen == [UInt8(ascii: "[")] { return .begun }
    for name in ["Records", "records"] {
      let whole = Array("{\"\(name)\":[".utf8)
      guard whole.starts(with: seen) else { continue }
      guard seen.count == whole.count else { return .more }
      isWrapped = true
      return .begun
    }
    return .failed
  }
}
