import CArrow

/// What a JSON value is.
enum JSONKind { case object, array, string, number, yes, no, null, broken }

/// Walks JSON text that was valid when it was stored. Total: on broken text it ends early and finds nothing.
extension Span<UInt8> {
  func skipJSONSpace(_ start: Int) -> Int {
    var position = start
    while position < count, self[position] <= 0x20 { position += 1 }
    return position
  }

  func jsonKind(at position: Int) -> JSONKind {
    guard position < count else { return .broken }
    switch self[position] {
    case UInt8(ascii: "{"): return .object
    case UInt8(ascii: "["): return .array
    case UInt8(ascii: "\""): return .string
    case UInt8(ascii: "t"): return .yes
    case UInt8(ascii: "f"): return .no
    case UInt8(ascii: "n"): return .null
    case UInt8(ascii: "-"), 0x30...0x39: return .number
    default: return .broken
    }
  }

  /// The place after the string that opens at `start`.
  func skipJSONString(_ start: Int) -> Int { scanJSONString(start).end }

  /// The place after the string that opens at `start`, and whether it holds escapes.
  func scanJSONString(_ start: Int) -> (end: Int, isEscaped: Bool) {
    unsafe withUnsafeBufferPointer { text in
      guard let base = text.baseAddress else { return (text.count, false) }
      var position = start + 1
      var isEscaped = false
      while position < text.count {
        if position + 16 <= text.count {
          // In bounds: 16 bytes are left.
          let stops = unsafe cw_json_escapes16(base + position)
          position += stops == 0 ? 16 : stops.trailingZeroBitCount
          if stops == 0 { continue }
        }
        // In bounds: position < count, or it moved to a stop within 16 bytes that are left.
        let byte = unsafe base[position]
        if byte == UInt8(ascii: "\"") { return (position + 1, isEscaped) }
        isEscaped = isEscaped || byte == UInt8(ascii: "\\")
        position += byte == UInt8(ascii: "\\") ? 2 : 1
      }
      return (text.count, isEscaped)
    }
  }

  /// The place after the value that starts at `start`.
  func skipJSONValue(_ start: Int) -> Int {
    switch jsonKind(at: start) {
    case .string: return skipJSONString(start)
    case .object, .array:
      var depth = 0
      var position = start
      while position < count {
        switch self[position] {
        case UInt8(ascii: "\""):
          position = skipJSONString(position)
          continue
        case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
          depth -= 1
          if depth == 0 { return position + 1 }
        default: break
        }
        position += 1
      }
      return count
    case .number, .yes, .no, .null:
      var position = start
      while position < count {
        let byte = self[position]
        if byte == 0x2C || byte == 0x7D || byte == 0x5D || byte <= 0x20 { break }
        position += 1
      }
      return position
    case .broken: return count
    }
  }

  /// The key and value at or after `position` (behind the opening brace or an earlier value); nil: no more.
  func nextJSONMember(_ position: Int) -> (key: Range<Int>, value: Int)? {
    var place = skipJSONSpace(position)
    if place < count, self[place] == UInt8(ascii: ",") { place = skipJSONSpace(place + 1) }
    guard jsonKind(at: place) == .string else { return nil }
    let end = skipJSONString(place)
    let colon = skipJSONSpace(end)
    guard colon < count, self[colon] == UInt8(ascii: ":") else { return nil }
    return (place..<end, skipJSONSpace(colon + 1))
  }

  /// Where the value of member `name` of the object at `start` begins; the last of that name counts. nil:
  /// none.
  func jsonMember(_ name: [UInt8], ofObjectAt start: Int) -> Int? {
    guard jsonKind(at: start) == .object else { return nil }
    var found: Int?
    var position = start + 1
    while let (key, value) = nextJSONMember(position) {
      if jsonString(at: key, equals: name) { found = value }
      position = skipJSONValue(value)
    }
    return found
  }

  /// Where the value at the end of `path` begins, from the object the text is; nil: there is none.
  func jsonValue(at path: [[UInt8]]) -> Int? {
    var place = skipJSONSpace(0)
    for name in path {
      guard let next = jsonMember(name, ofObjectAt: place) else { return nil }
      place = next
    }
    return place
  }

  /// Whether the string literal (quotes included) at `range` says `other`.
  func jsonString(at range: Range<Int>, equals other: [UInt8]) -> Bool {
    let inner = range.lowerBound + 1..<max(range.lowerBound + 1, range.upperBound - 1)
    var isEscaped = false
    if inner.count == other.count {
      var index = 0
      while index < other.count {
        let byte = self[inner.lowerBound + index]
        if byte == UInt8(ascii: "\\") { isEscaped = true }
        if byte != other[index] { break }
        index += 1
      }
      if index == other.count && !isEscaped { return true }
    }
    // Escapes only ever make it longer.
    guard inner.count > other.count else { return false }
    for index in inner where self[index] == UInt8(ascii: "\\") {
      var copy: [UInt8] = []
      unescapeJSON(inner, into: &copy)
      return copy == other
    }
    return false
  }

  /// Hands the characters of the string that opens at `start` to `body`; `scratch` takes them if they hold
  /// escapes.
  func withJSONString<R>(at start: Int, _ scratch: inout [UInt8], _ body: (Span<UInt8>) -> R) -> R {
    let (end, isEscaped) = scanJSONString(start)
    let inner = start + 1..<Swift.max(start + 1, end - 1)
    guard isEscaped else { return body(extracting(inner)) }
    scratch.removeAll(keepingCapacity: true)
    unescapeJSON(inner, into: &scratch)
    return body(scratch.span)
  }

  private func unescapeJSON(_ range: Range<Int>, into result: inout [UInt8]) {
    var position = range.lowerBound
    while position < range.upperBound {
      let byte = self[position]
      guard byte == UInt8(ascii: "\\"), position + 1 < range.upperBound else {
        result.append(byte)
        position += 1
        continue
      }
      let escape = self[position + 1]
      position += 2
      switch escape {
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0C)
      case UInt8(ascii: "u"):
        var scalar = hexadecimalJSON(position, before: range.upperBound)
        position += 4
        if (0xD800...0xDBFF).contains(scalar), position + 6 <= range.upperBound,
          self[position] == UInt8(ascii: "\\"), self[position + 1] == UInt8(ascii: "u")
        {
          let low = hexadecimalJSON(position + 2, before: range.upperBound)
          if (0xDC00...0xDFFF).contains(low) {
            scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
            position += 6
          }
        }
        // A lone surrogate has no UTF-8.
        result += ScalarSet.utf8((0xD800...0xDFFF).contains(scalar) ? 0xFFFD : scalar)
      default: result.append(escape)
      }
    }
  }

  private func hexadecimalJSON(_ start: Int, before end: Int) -> UInt32 {
    guard start + 4 <= end else { return 0xFFFD }
    var value: UInt32 = 0
    for index in start..<start + 4 { value = value << 4 | (Unicode.Scalar(self[index]).hexDigit ?? 0) }
    return value
  }

  /// The deepest nesting strings are looked for in; decoders refuse far less.
  static var jsonDepthMax: Int { 512 }

  /// Whether a string value at any depth from the value at `start` on matches. Of members with one name only
  /// the last counts.
  func anyJSONString(
    at start: Int, _ scratch: inout [UInt8], depth: Int = 0, _ matches: (Span<UInt8>) -> Bool
  ) -> Bool {
    guard depth < Span.jsonDepthMax else { return false }
    switch jsonKind(at: start) {
    case .string: return withJSONString(at: start, &scratch, matches)
    case .array:
      var position = skipJSONSpace(start + 1)
      while jsonKind(at: position) != .broken {
        if anyJSONString(at: position, &scratch, depth: depth + 1, matches) { return true }
        position = skipJSONSpace(skipJSONValue(position))
        guard position < count, self[position] == UInt8(ascii: ",") else { return false }
        position = skipJSONSpace(position + 1)
      }
      return false
    case .object:
      var position = start + 1
      while let (key, value) = nextJSONMember(position) {
        if anyJSONString(at: value, &scratch, depth: depth + 1, matches),
          isLastMember(key, ofObjectAt: start, value)
        {
          return true
        }
        position = skipJSONValue(value)
      }
      return false
    case .number, .yes, .no, .null, .broken: return false
    }
  }

  private func isLastMember(_ key: Range<Int>, ofObjectAt start: Int, _ value: Int) -> Bool {
    var name: [UInt8] = []
    unescapeJSON(key.lowerBound + 1..<max(key.lowerBound + 1, key.upperBound - 1), into: &name)
    return jsonMember(name, ofObjectAt: start) == value
  }
}
