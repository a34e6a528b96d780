import Records

extension JSONColumnScanner {
  /// Appends the object of a column, and to that of the overflow column the members no column is named after.
  @unsafe
  mutating func appendObject(_ slot: Int) -> ScanFault? {
    let kind = unsafe values[slot].kind
    if let fault = unsafe objectFault(slot, kind) { return fault }
    if masks.rules[slot] != 0, kind != .null {
      masks.note(masks.rules[slot])
      guard slot == plan.overflowSlot, !members.isEmpty else { return unsafe appendNullText(slot) }
      unsafe appendOverflow(slot, hasObject: false)
      return nil
    }
    if kind == .array {
      let empty = JSONColumnScanner.emptyObject
      unsafe appendText(slot, empty.span)
      return nil
    }
    if slot == plan.overflowSlot, !members.isEmpty {
      unsafe appendOverflow(slot, hasObject: kind == .object)
      return nil
    }
    guard kind == .object else { return unsafe appendNullText(slot) }
    let count = unsafe values[slot].count
    let to = unsafe columns.room(slot, count)
    // Within bounds: the value lies in scratch, and there is room for `count` bytes.
    unsafe to.update(from: scratch.bytes + values[slot].start, count: count)
    unsafe columns.columns[slot].used += count
    endText(slot)
    return nil
  }

  /// Writes the members no column is named after and, behind them, those of the object that was sent under
  /// the column's own name. Of equal keys the last stays, so the object's own win.
  @inline(__always)
  @unsafe
  private mutating func appendOverflow(_ slot: Int, hasObject: Bool) {
    if hasObject { unsafe listOwnMembers(slot) }
    if members.count > 1 { dropRepeatedMembers() }
    var total = 2
    for member in members { total &+= member.count &+ 1 }
    let start = unsafe columns.room(slot, total)
    var to = unsafe start
    unsafe to[0] = 0x7B
    unsafe to += 1
    var isFirst = true
    for member in members {
      if !isFirst {
        unsafe to[0] = 0x2C
        unsafe to += 1
      }
      isFirst = false
      if member.isInScratch {
        unsafe to.update(from: scratch.bytes + member.start, count: member.count)
      } else {
        unsafe copy(base + member.start, member.count, to)
      }
      unsafe to += member.count
    }
    unsafe to[0] = 0x7D
    unsafe columns.columns[slot].used &+= to + 1 - start
    endText(slot)
  }

  /// Adds the members of the object noted for `slot`, which lies in scratch in canonical form.
  @inline(never)
  @unsafe
  private mutating func listOwnMembers(_ slot: Int) {
    let object = unsafe values[slot]
    let bytes = unsafe UnsafeBufferPointer(start: scratch.bytes + object.start, count: object.count)
    let text = unsafe Span(_unsafeElements: bytes)
    var own = JSONMembers(text)
    while own.next(text) {
      // The member's text goes from the key's quote to the value's end.
      let hash = unsafe KeyTable.hash(scratch.bytes + object.start + own.key.lowerBound, own.key.count)
      members.append(
        Member(
          start: object.start + own.key.lowerBound - 1,
          count: own.value.upperBound - own.key.lowerBound + 1, keyCount: own.key.count, hash: hash,
          isInScratch: true))
    }
  }

  @inline(__always)
  private mutating func dropRepeatedMembers() {
    var bits: UInt64 = 0
    var mayRepeat = false
    for member in members {
      let bit: UInt64 = 1 << (member.hash & 63)
      mayRepeat = mayRepeat || bits & bit != 0
      bits |= bit
    }
    if mayRepeat { dropRepeatedMembersSlowly() }
  }

  @inline(never)
  private mutating func dropRepeatedMembersSlowly() {
    let dropped = unsafe MemberSet.repeated(members.count) {
      let member = members[$0]
      let text = unsafe member.isInScratch ? UnsafePointer(scratch.bytes) : base
      return unsafe MemberSet.Key(
        start: text + member.start + 1, count: member.keyCount, hash: member.hash)
    }
    hasRepeatedMember = hasRepeatedMember || !dropped.isEmpty
    // One pass: removing one by one would be quadratic.
    var gone = dropped[...]
    var kept = 0
    for index in members.indices {
      if gone.first == index {
        gone = gone.dropFirst()
      } else {
        members[kept] = members[index]
        kept += 1
      }
    }
    members.removeLast(members.count - kept)
  }
}
