import Records

extension JSONColumnScanner {
  /// A member that is masked, reserved or not declared. Not declared ones go to the overflow column.
  @inline(__always)
  @unsafe
  mutating func scanOther(
    _ open: UnsafePointer<UInt8>, _ keyEnd: UnsafePointer<UInt8>, _ at: UnsafePointer<UInt8>, _ key: Key
  ) -> UnsafePointer<UInt8>? {
    if key.slot == JSONColumnScanner.unknownSlot, key.rule == 0, plan.overflowSlot != nil, unsafe at < end,
      key.count >= 0, unsafe at == keyEnd + 1, unsafe at[0] != 0x7B && at[0] != 0x5B
    {
      var value = Value()
      guard let next = unsafe scanValue(at, &value) else { return nil }
      if masks.looksIntoMembers, value.kind == .string || value.kind == .escapedString,
        unsafe redactText(base + value.start, value.count, hasEscapes: value.kind == .escapedString)
      {
        unsafe keepRewritten(open, keyEnd, key) { $0.appendMaskedString() }
        return unsafe next
      }
      if value.kind != .escapedString {
        // Already as it is stored: keep the place.
        if members.count < plan.membersMax {
          unsafe members.append(
            Member(
              start: open - base, count: next - open, keyCount: key.count, hash: key.hash,
              isInScratch: false))
        }
        return unsafe next
      }
      unsafe keepRewritten(open, keyEnd, key) { scanner in
        unsafe Canonical.append(
          scanner.base + value.start, value.count, hasEscapes: true, to: &scanner.scratch)
      }
      return unsafe next
    }
    return unsafe scanRareMember(open, keyEnd, at, key)
  }

  @inline(never)
  @unsafe
  private mutating func scanRareMember(
    _ open: UnsafePointer<UInt8>, _ keyEnd: UnsafePointer<UInt8>, _ at: UnsafePointer<UInt8>, _ key: Key
  ) -> UnsafePointer<UInt8>? {
    if key.slot == JSONColumnScanner.reservedSlot { unsafe note(.reserved, open) }
    if key.slot == JSONColumnScanner.unknownSlot, plan.overflowSlot == nil {
      if !plan.dropsUnknown { unsafe note(.unknownField, open) }
      var dropped = Value()
      return unsafe scanAside(at, &dropped)
    }
    if key.slot >= 0 {
      // Masked: checked like any other. Its row is made of where it lies, not of what scratch held.
      let slot = Int(key.slot)
      noteSeen(slot)
      return unsafe scanAside(at, &values[slot])
    }
    let start = scratch.used
    let keyCount = unsafe appendKey(open, keyEnd, key)
    guard let next = unsafe key.rule == 0 ? rewriteValue(at, depth: 1) : rewriteMasked(at, key.rule, depth: 1)
    else { return nil }
    keep(start, keyCount)
    return unsafe next
  }

  /// Writes a member to scratch, its value by `write`, and keeps it.
  @unsafe
  private mutating func keepRewritten(
    _ open: UnsafePointer<UInt8>, _ keyEnd: UnsafePointer<UInt8>, _ key: Key,
    _ write: (inout JSONColumnScanner) -> Void
  ) {
    let start = scratch.used
    let keyCount = unsafe appendKey(open, keyEnd, key)
    write(&self)
    keep(start, keyCount)
  }

  /// Appends a key and its colon to scratch; returns the key's length between its quotes.
  @unsafe
  private mutating func appendKey(
    _ open: UnsafePointer<UInt8>, _ keyEnd: UnsafePointer<UInt8>, _ key: Key
  ) -> Int {
    let start = scratch.used
    unsafe Canonical.append(open + 1, keyEnd - open - 2, hasEscapes: key.count < 0, to: &scratch)
    let count = scratch.used - start - 2
    scratch.append(0x3A)
    return count
  }

  private mutating func keep(_ start: Int, _ keyCount: Int) {
    guard members.count < plan.membersMax else { return }
    let hash = unsafe KeyTable.hash(scratch.bytes + start + 1, keyCount)
    members.append(
      Member(
        start: start, count: scratch.used - start, keyCount: keyCount, hash: hash, isInScratch: true))
  }

  /// Appends the scanned record as a row, or notes why it cannot be one.
  @unsafe
  mutating func commit(_ record: UnsafePointer<UInt8>) {
    if plan.requiredSlots & ~seen != 0 {
      keyRange = 0..<0
      unsafe note(.missing, record, slot: (plan.requiredSlots & ~seen).trailingZeroBitCount)
      return
    }
    columns.reserveRow()
    for slot in 0..<columns.count {
      // Within bounds: `values` and `columns` have a place for each slot, and a row was reserved.
      if seen & (1 << UInt64(slot)) == 0 {
        unsafe values[slot].kind = .null
        unsafe values[slot].at = record - base
      }
      if let found = unsafe append(slot) {
        keyRange = 0..<0
        unsafe note(found, base + values[slot].at, slot: slot)
        columns.discardRow()
        return
      }
    }
    if plan.refusesRepeatedNames, hasRepeatedName {
      keyRange = 0..<0
      unsafe note(.repeatedName, record)
      columns.discardRow()
      return
    }
    if masks.isOn {
      if plan.refusesOverBound, masks.isOverBound {
        keyRange = 0..<0
        unsafe note(.ruleBroken, record)
        columns.discardRow()
        return
      }
      unsafe endMaskedRecord()
    }
    columns.rowCount += 1
  }

  /// Appends the value noted for `slot` to the open row.
  @inline(__always)
  @unsafe
  mutating func append(_ slot: Int) -> ScanFault? {
    switch unsafe columns.columns[slot].type {
    case .utf8:
      if masks.careSlots & (1 << UInt64(slot)) != 0 { return unsafe appendCarefully(slot) }
      if unsafe values[slot].kind == .string {
        unsafe appendText(slot, values[slot].start, values[slot].count)
        return nil
      }
      return unsafe appendRareText(slot)
    case .json: return unsafe appendObject(slot)
    case .timestamp: return unsafe appendTimestamp(slot)
    case .float64, .int64, .bool, .uuid: return unsafe appendScalar(slot)
    }
  }

  /// Closes the open row of a text column.
  @inline(__always)
  mutating func endText(_ slot: Int) {
    unsafe columns.columns[slot].offsets[columns.rowCount &+ 1] = Int32(
      truncatingIfNeeded: columns.columns[slot].used)
  }

  @inline(__always)
  @unsafe
  mutating func appendText(_ slot: Int, _ start: Int, _ count: Int) {
    let to = unsafe columns.room(slot, count)
    unsafe copy(base + start, count, to)
    unsafe columns.columns[slot].used &+= count
    endText(slot)
  }

  /// Copies `count` bytes of the body; up to 31 bytes behind `to + count` may be overwritten.
  @inline(__always)
  @unsafe
  func copy(_ from: UnsafePointer<UInt8>, _ count: Int, _ to: UnsafeMutablePointer<UInt8>) {
    let source = unsafe UnsafeRawPointer(from)
    let target = UnsafeMutableRawPointer(to)
    if count <= 32, unsafe end - from >= 32 {
      unsafe target.storeBytes(of: source.loadUnaligned(as: SIMD16<UInt8>.self), as: SIMD16<UInt8>.self)
      unsafe target.storeBytes(
        of: source.loadUnaligned(fromByteOffset: 16, as: SIMD16<UInt8>.self), toByteOffset: 16,
        as: SIMD16<UInt8>.self)
    } else {
      unsafe target.copyMemory(from: source, byteCount: count)
    }
  }

  @inline(never)
  @unsafe
  mutating func appendRareText(_ slot: Int) -> ScanFault? {
    switch unsafe values[slot].kind {
    case .null: return unsafe appendNullText(slot)
    case .escapedString:
      let count = unsafe values[slot].count
      let to = unsafe columns.room(slot, count)
      unsafe columns.columns[slot].used += Unescape.write(base + values[slot].start, count, to: to)
      endText(slot)
      return nil
    case .string, .number, .true, .false, .object, .array: return .wrongType
    }
  }

  @unsafe
  mutating func appendNullText(_ slot: Int) -> ScanFault? {
    guard unsafe columns.columns[slot].isNullable else { return .missing }
    columns.setNull(slot)
    endText(slot)
    return nil
  }

  /// Appends a text that is not in the body.
  @unsafe
  mutating func appendText(_ slot: Int, _ text: Span<UInt8>) {
    let to = unsafe columns.room(slot, text.count)
    unsafe text.withUnsafeBufferPointer { bytes in
      // Within bounds: there is room for all of them.
      if let from = bytes.baseAddress { unsafe to.update(from: from, count: bytes.count) }
    }
    unsafe columns.columns[slot].used += text.count
    endText(slot)
  }

  @unsafe
  private mutating func appendTimestamp(_ slot: Int) -> ScanFault? {
    let value = unsafe values[slot]
    if plan.takesTimestampAsTextOnly, value.kind != .string, value.kind != .escapedString,
      !(plan.takesLooseTimestamp && value.kind == .number)
    {
      return .wrongType
    }
    var time: Int64?
    switch value.kind {
    case .string:
      time = unsafe RFC3339.parse(base + value.start, value.count)
      if time == nil, plan.takesLooseTimestamp { time = unsafe looseTime(value) }
    case .number:
      let text = unsafe UnsafeBufferPointer(start: base + value.start, count: value.count)
      time = unsafe UnixTime.nanoseconds(Span(_unsafeElements: text))
      if time == nil, !plan.takesLooseTimestamp { return .numberOutOfRange }
    case .null: time = plan.now
    case .escapedString:
      let start = scratch.used
      unsafe Canonical.appendPlain(base + value.start, value.count, to: &scratch)
      time = unsafe RFC3339.parse(scratch.bytes + start, scratch.used - start)
    case .true, .false, .object, .array: return .wrongType
    }
    guard let time else { return .badTimestamp }
    unsafe columns.columns[slot].values[columns.rowCount] = time
    return nil
  }

  /// The time in a text that is not RFC 3339.
  @inline(never)
  @unsafe
  private func looseTime(_ value: Value) -> Int64? {
    // Far above any form of a time; a number of more digits is none in range.
    guard value.count <= 512 else { return nil }
    return unsafe FlexibleTime.nanoseconds(
      bytes: Array(UnsafeBufferPointer(start: base + value.start, count: value.count)))
  }

  @inline(never)
  @unsafe
  private mutating func appendScalar(_ slot: Int) -> ScanFault? {
    let value = unsafe values[slot]
    let row = columns.rowCount
    let type = unsafe columns.columns[slot].type
    let rows = unsafe columns.columns[slot].values
    switch (type, value.kind) {
    case (_, let kind) where kind == .null || masks.rules[slot] != 0:
      if value.kind != .null { masks.note(masks.rules[slot]) }
      guard unsafe columns.columns[slot].isNullable else { return .missing }
      columns.setNull(slot)
      if type == .bool { setBit(slot, row, false) } else { unsafe rows[row] = 0 }
    case (.float64, .string) where plan.slots[slot].takesQuotedNumber:
      guard let number = unsafe JSONNumber.double(base + value.start, value.count) else { return .wrongType }
      unsafe rows[row] = Int64(bitPattern: number.bitPattern)
    case (.float64, .number):
      guard let number = unsafe JSONNumber.double(base + value.start, value.count) else {
        return .numberOutOfRange
      }
      unsafe rows[row] = Int64(bitPattern: number.bitPattern)
    case (.int64, .number):
      guard let number = unsafe JSONNumber.int64(base + value.start, value.count) else {
        return .numberOutOfRange
      }
      unsafe rows[row] = number
    case (.bool, .true): setBit(slot, row, true)
    case (.bool, .false): setBit(slot, row, false)
    default: return .wrongType
    }
    return nil
  }

  private mutating func setBit(_ slot: Int, _ row: Int, _ bit: Bool) {
    let bytes = unsafe UnsafeMutableRawPointer(columns.columns[slot].values)
      .assumingMemoryBound(to: UInt8.self)
    let mask = UInt8(1) << UInt8(row & 7)
    let old = unsafe row & 7 == 0 ? 0 : bytes[row >> 3]
    unsafe bytes[row >> 3] = bit ? old | mask : old & ~mask
  }
}
