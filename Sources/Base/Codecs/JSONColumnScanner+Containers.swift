/// A member of an object that is being rewritten: offsets in scratch.
struct NestedMember {
  var start: Int
  var count: Int
  var keyCount: Int
  var hash: UInt64
}

extension JSONColumnScanner {
  /// Appends the object or array at `start` to scratch: compact, canonical, masked, no key twice.
  ///
  /// - Returns: The byte behind it.
  @unsafe
  mutating func rewriteContainer(
    _ start: UnsafePointer<UInt8>, depth: Int
  ) -> UnsafePointer<UInt8>? {
    guard depth <= plan.depthMax else {
      unsafe note(.tooDeep, start)
      return unsafe skipContainer(start)
    }
    deepest = max(deepest, depth)
    return unsafe start[0] == 0x7B
      ? rewriteObject(start, depth: depth) : rewriteArray(start, depth: depth)
  }

  @unsafe
  private mutating func rewriteObject(
    _ start: UnsafePointer<UInt8>, depth: Int
  ) -> UnsafePointer<UInt8>? {
    let first = nested.count
    defer { nested.removeLast(nested.count - first) }
    let open = scratch.used
    var pair = PairState()
    scratch.append(0x7B)
    var at = unsafe skipSpace(start + 1)
    if unsafe at < end, unsafe at[0] == 0x7D {
      scratch.append(0x7D)
      return unsafe at + 1
    }
    while true {
      guard unsafe at < end, unsafe at[0] == 0x22 else { return unsafe fail(.expectedKey, at) }
      let keyStart = unsafe at
      guard let keyClose = unsafe scanString(at + 1) else { return nil }
      let rawCount = unsafe keyClose - keyStart - 1
      if rawCount > plan.keyBytesMax { unsafe note(.keyTooLong, keyStart) }
      let memberStart = scratch.used
      unsafe Canonical.append(keyStart + 1, rawCount, hasEscapes: hasEscapes, to: &scratch)
      let keyCount = scratch.used - memberStart - 2
      let hash = unsafe KeyTable.hash(scratch.bytes + memberStart + 1, keyCount)
      let role = unsafe masks.isOpen ? ruleForMember(keyStart + 1, rawCount, at: memberStart + 1, hash) : 0
      scratch.append(0x3A)
      unsafe at = skipSpace(keyClose + 1)
      guard unsafe at < end, unsafe at[0] == 0x3A else { return unsafe fail(.expectedColon, at) }
      unsafe at = skipSpace(at + 1)
      let rule = unsafe role <= NamedPair.ruleMask ? role : pairRule(role, at, &pair)
      let (source, valueStart, notedStart) = unsafe (at - base, scratch.used, masks.applied.count)
      guard
        let next = unsafe rule == 0 ? rewriteValue(at, depth: depth) : rewriteMasked(at, rule, depth: depth)
      else { return nil }
      if nested.count - first == plan.membersMax {
        unsafe note(.tooManyMembers, keyStart)
      } else if nested.count - first < plan.membersMax {
        nested.append(
          NestedMember(
            start: memberStart, count: scratch.used - memberStart, keyCount: keyCount, hash: hash))
        if role > NamedPair.ruleMask {
          let value = PairState.Waiting(
            source: source, range: valueStart..<scratch.used, index: nested.count - 1,
            noted: notedStart..<masks.applied.count)
          endPairMember(role, value, depth: depth, &pair)
        }
      }
      unsafe at = skipSpace(next)
      guard unsafe at < end else { return unsafe fail(.truncated, at) }
      let byte = unsafe at[0]
      if byte == 0x2C {
        scratch.append(0x2C)
        unsafe at = skipSpace(at + 1)
        continue
      }
      guard byte == 0x7D else { return unsafe fail(.expectedCommaOrBrace, at) }
      if fault == nil { removeDuplicates(from: first, object: open) }
      scratch.append(0x7D)
      return unsafe at + 1
    }
  }

  @unsafe
  private mutating func rewriteArray(
    _ start: UnsafePointer<UInt8>, depth: Int
  ) -> UnsafePointer<UInt8>? {
    scratch.append(0x5B)
    var at = unsafe skipSpace(start + 1)
    if unsafe at < end, unsafe at[0] == 0x5D {
      scratch.append(0x5D)
      return unsafe at + 1
    }
    while true {
      guard let next = unsafe rewriteValue(at, depth: depth) else { return nil }
      unsafe at = skipSpace(next)
      guard unsafe at < end else { return unsafe fail(.truncated, at) }
      let byte = unsafe at[0]
      if byte == 0x2C {
        scratch.append(0x2C)
        unsafe at = skipSpace(at + 1)
        continue
      }
      guard byte == 0x5D else { return unsafe fail(.expectedCommaOrBracket, at) }
      scratch.append(0x5D)
      return unsafe at + 1
    }
  }

  /// Appends the value at `at` to scratch.
  @unsafe
  mutating func rewriteValue(
    _ at: UnsafePointer<UInt8>, depth: Int
  ) -> UnsafePointer<UInt8>? {
    guard unsafe at < end else { return unsafe fail(.truncated, at) }
    let first = unsafe at[0]
    let stop: UnsafePointer<UInt8>?
    switch first {
    case 0x22:
      guard let close = unsafe scanString(at + 1) else { return nil }
      if unsafe masks.looksIntoMembers && redactMember(at + 1, close - at - 1, hasEscapes: hasEscapes) {
        return unsafe close + 1
      }
      unsafe Canonical.append(at + 1, close - at - 1, hasEscapes: hasEscapes, to: &scratch)
      return unsafe close + 1
    case 0x7B, 0x5B:
      return unsafe rewriteContainer(at, depth: depth + 1)
    case 0x2D, 0x30...0x39:
      unsafe stop = JSONNumber.end(of: at, end)
      if unsafe stop == nil { return unsafe fail(.badNumber, at) }
    default:
      unsafe stop = literalEnd(at, first)
    }
    guard let stop = unsafe stop else { return unsafe fail(.expectedValue, at) }
    unsafe scratch.append(raw: UnsafeBufferPointer(start: at, count: stop - at))
    return unsafe stop
  }

  /// Leaves only the last of equal keys among the members from `first` on of the object that opened at
  /// `open`.
  private mutating func removeDuplicates(from first: Int, object open: Int) {
    let count = nested.count - first
    guard count > 1 else { return }
    // Most objects have no two keys whose hashes share six bits, or are small.
    var bits: UInt64 = 0
    var mayRepeat = false
    for index in first..<nested.count {
      let bit: UInt64 = 1 << (nested[index].hash & 63)
      mayRepeat = mayRepeat || bits & bit != 0
      bits |= bit
    }
    guard mayRepeat else { return }
    // Within bounds: members lie in scratch.
    let text = unsafe scratch.bytes
    let dropped = unsafe MemberSet.repeated(count) {
      let member = nested[first + $0]
      return unsafe MemberSet.Key(start: text + member.start + 1, count: member.keyCount, hash: member.hash)
    }
    guard !dropped.isEmpty else { return }
    hasRepeatedMember = true
    var gone = dropped[...]
    var to = open + 1
    for index in 0..<count {
      if gone.first == index {
        gone = gone.dropFirst()
        continue
      }
      let member = nested[first + index]
      if to > open + 1 {
        unsafe text[to] = 0x2C
        to += 1
      }
      unsafe (text + to).update(from: text + member.start, count: member.count)
      to += member.count
    }
    scratch.used = to
  }

  /// The byte behind the container at `start`, however deep it is; its text is not checked.
  @unsafe
  private mutating func skipContainer(_ start: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
    var depth = 0
    var at = unsafe start
    while unsafe at < end {
      switch unsafe at[0] {
      case 0x22:
        guard let close = unsafe scanString(at + 1) else { return nil }
        unsafe at = close
      case 0x7B, 0x5B: depth += 1
      case 0x7D, 0x5D:
        depth -= 1
        if depth == 0 { return unsafe at + 1 }
      default: break
      }
      unsafe at += 1
    }
    return unsafe fail(.truncated, at)
  }
}

/// Finds members that a later one of the same key replaces.
enum MemberSet {
  @unsafe struct Key {
    var start: UnsafePointer<UInt8>
    var count: Int
    var hash: UInt64
  }

  /// Indices, ascending, of the keys among `count` that occur again further on. Quadratic up to 16 keys;
  /// beyond that by sorting, so that no choice of keys makes it slow.
  @unsafe
  static func repeated(_ count: Int, _ key: (Int) -> Key) -> [Int] {
    var dropped: [Int] = []
    if count <= 16 {
      for index in 0..<count {
        let one = unsafe key(index)
        for other in (index + 1)..<max(count, index + 1) where unsafe order(one, key(other)) == 0 {
          dropped.append(index)
          break
        }
      }
      return dropped
    }
    let sorted = (0..<count).sorted {
      let result = unsafe order(key($0), key($1))
      return result == 0 ? $0 < $1 : result < 0
    }
    for place in 1..<count where unsafe order(key(sorted[place - 1]), key(sorted[place])) == 0 {
      dropped.append(sorted[place - 1])
    }
    return dropped.sorted()
  }

  /// Negative, zero (equal keys) or positive; any fixed order will do.
  @unsafe
  private static func order(_ a: Key, _ b: Key) -> Int {
    if unsafe a.hash != b.hash { return unsafe a.hash < b.hash ? -1 : 1 }
    if unsafe a.count != b.count { return unsafe a.count - b.count }
    // Within bounds: both keys have `count` bytes.
    for index in unsafe 0..<a.count where unsafe a.start[index] != b.start[index] {
      return unsafe Int(a.start[index]) - Int(b.start[index])
    }
    return 0
  }
}
