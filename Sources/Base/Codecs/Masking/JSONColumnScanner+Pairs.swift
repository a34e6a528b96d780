// Objects that name what they hold (``NamedPair``).
extension JSONColumnScanner {
  /// The rule for the value at `at` of a member with the rule and role `role`.
  @inline(never)
  @unsafe
  mutating func pairRule(_ role: UInt16, _ at: UnsafePointer<UInt8>, _ pair: inout PairState) -> UInt16 {
    let own = role & NamedPair.ruleMask
    if role & NamedPair.isValue != 0 { return own != 0 ? own : pair.rule }
    guard pair.rule == 0, unsafe at < end, unsafe at[0] == 0x22,
      let close = unsafe scanString(at + 1), unsafe close - at - 1 <= 6 * NamedPair.nameBytesMax
    else { return own }
    pair.rule = unsafe masks.withPlain(at + 1, close - at - 1) { masks, name, count in
      unsafe masks.rule(named: Span(_unsafeElements: UnsafeBufferPointer(start: name, count: count)))
    }
    return own
  }

  /// Notes a value that has no name yet; hides those that waited for the name that came.
  @inline(never)
  mutating func endPairMember(
    _ role: UInt16, _ member: PairState.Waiting, depth: Int, _ pair: inout PairState
  ) {
    if role & NamedPair.isValue != 0 {
      let isContainer = unsafe base[member.source] == 0x7B || base[member.source] == 0x5B
      guard pair.rule == 0, role & NamedPair.ruleMask == 0, !isContainer else { return }
      pair.waiting.append(member)
      return
    }
    guard pair.rule != 0 else { return }
    // From the last one on, so that what lies before stays where it is.
    while let value = pair.waiting.popLast() { hide(value, pair.rule, depth: depth) }
  }

  /// Puts the masked text in the place of a value that was rewritten as it is.
  private mutating func hide(_ value: PairState.Waiting, _ rule: UInt16, depth: Int) {
    let tailCount = scratch.used - value.range.upperBound
    // Within bounds: the tail is the end of what is used.
    let tail = unsafe Array(
      UnsafeBufferPointer(start: scratch.bytes + value.range.upperBound, count: tailCount))
    scratch.used = value.range.lowerBound
    masks.forget(value.noted)
    // It was read once, so it is whole.
    guard unsafe rewriteMasked(base + value.source, rule, depth: depth) != nil else { return }
    let moved = scratch.used - value.range.upperBound
    unsafe tail.withUnsafeBufferPointer { unsafe scratch.append(raw: $0) }
    nested[value.index].count += moved
    for index in value.index + 1..<nested.count { nested[index].start += moved }
  }
}
