import Records

extension JSONColumnScanner {
  static let emptyObject = Array("{}".utf8)

  // MARK: Names

  /// The rule for a name of the record's own level.
  @unsafe
  mutating func ruleForRecordKey(_ name: UnsafePointer<UInt8>, _ count: Int, _ key: Key) -> UInt16 {
    if key.slot >= 0 { return masks.rules[Int(key.slot)] }
    // A record itself names nothing.
    // Names that lie in scratch or near the body's end are looked up without the memory.
    let isRoomy = unsafe name >= base && name < end && end - name >= KeyRules.nameBytesMax
    return unsafe masks.rule(name, count, hash: key.hash, isRoomy: isRoomy) & NamedPair.ruleMask
  }

  /// The rule, with its role in a pair, for a member whose name's inside is `inside` in the body and,
  /// rewritten, at `offset` in scratch. Called right behind its scan.
  @inline(__always)
  @unsafe
  mutating func ruleForMember(
    _ inside: UnsafePointer<UInt8>, _ count: Int, at offset: Int, _ hash: UInt64
  ) -> UInt16 {
    if hasEscapes {
      return unsafe masks.withPlain(inside, count) { masks, name, plainCount in
        unsafe masks.rule(name, plainCount, hash: 0, isRoomy: false)
      }
    }
    scratch.reserve(KeyRules.nameBytesMax)
    return unsafe masks.rule(scratch.bytes + offset, count, hash: hash, isRoomy: true)
  }

  // MARK: Values

  /// Reads a value that leaves no trace in scratch and in which nothing is masked.
  @unsafe
  mutating func scanAside(_ at: UnsafePointer<UInt8>, _ value: inout Value) -> UnsafePointer<UInt8>? {
    let start = scratch.used
    masks.asideDepth += 1
    guard let next = unsafe scanValue(at, &value) else { return nil }
    masks.asideDepth -= 1
    scratch.used = start
    return unsafe next
  }

  /// Checks the value at `at` like any other and appends what stands for it to scratch.
  @inline(never)
  @unsafe
  mutating func rewriteMasked(
    _ at: UnsafePointer<UInt8>, _ rule: UInt16, depth: Int
  ) -> UnsafePointer<UInt8>? {
    guard unsafe at < end else { return unsafe fail(.truncated, at) }
    if unsafe at[0] != 0x22 {
      let start = scratch.used
      masks.asideDepth += 1
      guard let next = unsafe rewriteValue(at, depth: depth) else { return nil }
      masks.asideDepth -= 1
      scratch.used = start
      masks.hide(rule, nil)
      appendMaskedString()
      return unsafe next
    }
    guard let close = unsafe scanString(at + 1) else { return nil }
    unsafe hideText(at + 1, close - at - 1, hasEscapes: hasEscapes, rule)
    appendMaskedString()
    return unsafe close + 1
  }

  /// Appends the masked text to scratch, in quotes.
  mutating func appendMaskedString() {
    let text = masks.text
    scratch.appendString(text.span)
  }

  /// What stands for the inside of a string under `rule` becomes the masked text.
  @unsafe
  private mutating func hideText(
    _ inside: UnsafePointer<UInt8>, _ count: Int, hasEscapes: Bool, _ rule: UInt16
  ) {
    guard hasEscapes else {
      return unsafe masks.hide(
        rule, Span(_unsafeElements: UnsafeBufferPointer(start: inside, count: count)))
    }
    unsafe masks.withPlain(inside, count) { masks, text, plainCount in
      unsafe masks.hide(rule, Span(_unsafeElements: UnsafeBufferPointer(start: text, count: plainCount)))
    }
  }

  /// Whether detectors find something in the inside of a member's string; then it becomes the masked text.
  @inline(__always)
  @unsafe
  mutating func redactText(_ inside: UnsafePointer<UInt8>, _ count: Int, hasEscapes: Bool) -> Bool {
    guard hasEscapes else { return unsafe masks.redact(inside, count, slot: nil) }
    return unsafe masks.withPlain(inside, count) { masks, text, plainCount in
      unsafe masks.redact(text, plainCount, slot: nil)
    }
  }

  /// As ``redactText(_:_:hasEscapes:)``; the masked text is appended to scratch.
  @inline(__always)
  @unsafe
  mutating func redactMember(_ inside: UnsafePointer<UInt8>, _ count: Int, hasEscapes: Bool) -> Bool {
    guard unsafe redactText(inside, count, hasEscapes: hasEscapes) else { return false }
    appendMaskedString()
    return true
  }

  // MARK: Rows

  /// Appends the value of a text column that has a rule, is hidden, or is looked into.
  @inline(never)
  @unsafe
  mutating func appendCarefully(_ slot: Int) -> ScanFault? {
    let value = unsafe values[slot]
    switch value.kind {
    case .null: return unsafe appendNullText(slot)
    case .string: return unsafe appendCarefully(slot, base + value.start, value.count)
    case .escapedString:
      var bytes: [UInt8] = []
      unsafe masks.withPlain(base + value.start, value.count) { _, text, count in
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text, count: count))
      }
      // One byte more, so that there is a first one to point to.
      let count = bytes.count
      bytes.append(0)
      return unsafe bytes.withUnsafeBufferPointer { buffer in
        guard let text = buffer.baseAddress else { bug("an array with a byte has memory") }
        return unsafe appendCarefully(slot, text, count)
      }
    case .number, .true, .false, .object, .array:
      guard masks.rules[slot] != 0, plan.slots[slot].rule == .any else { return .wrongType }
      masks.hide(masks.rules[slot], nil)
      appendMaskedText(slot)
      return nil
    }
  }

  @unsafe
  private mutating func appendCarefully(_ slot: Int, _ text: UnsafePointer<UInt8>, _ count: Int) -> ScanFault?
  {
    let span = unsafe Span(_unsafeElements: UnsafeBufferPointer(start: text, count: count))
    guard plan.slots[slot].rule.holds(for: span) else { return .ruleBroken }
    if masks.rules[slot] != 0 {
      masks.hide(masks.rules[slot], span)
    } else if unsafe !masks.redact(text, count, slot: slot) {
      unsafe appendText(slot, span)
      return nil
    }
    appendMaskedText(slot)
    return nil
  }

  private mutating func appendMaskedText(_ slot: Int) {
    let text = masks.text
    unsafe appendText(slot, text.span)
  }

  /// What is wrong with the value of an object column, if anything.
  @unsafe
  func objectFault(_ slot: Int, _ kind: Value.Kind) -> ScanFault? {
    switch kind {
    case .null: return nil
    case .object:
      // The record itself is a level.
      if unsafe values[slot].depth - 1 > plan.slots[slot].depthMax { return .tooDeep }
      return unsafe keepsMemberRule(slot) ? nil : .ruleBroken
    case .array:
      if masks.rules[slot] != 0 { return nil }
      return unsafe plan.slots[slot].takesEmptyArray && values[slot].count == 2 ? nil : .wrongType
    case .string, .escapedString, .number, .true, .false: return masks.rules[slot] != 0 ? nil : .wrongType
    }
  }

  /// Whether the object noted for `slot` keeps the slot's rule of members.
  @unsafe
  private func keepsMemberRule(_ slot: Int) -> Bool {
    guard let names = plan.slots[slot].memberNames else { return true }
    let object = unsafe values[slot]
    if object.isAltered { return false }
    let text = unsafe Span(
      _unsafeElements: UnsafeBufferPointer(start: scratch.bytes + object.start, count: object.count))
    var members = JSONMembers(text)
    while members.next(text) {
      guard members.kind == .string, members.value.count - 2 <= plan.slots[slot].memberBytesMax,
        names.contains(where: { members.keyEquals(text, $0) })
      else { return false }
    }
    return true
  }

  /// Counts what was masked in the open row; replaces the row if that was more than the plan allows.
  @unsafe
  mutating func endMaskedRecord() {
    masks.endRecord()
    guard masks.isOverBound else { return }
    let failureText = masks.masking?.failureText ?? []
    columns.discardRow()
    for slot in 0..<columns.count {
      // Within bounds: a row is reserved, and values and columns have a place for each slot.
      let isNull = unsafe seen & (1 << UInt64(slot)) == 0 || values[slot].kind == .null
      switch unsafe columns.columns[slot].type {
      case .json:
        if slot == plan.failureSlot {
          let object = failureObject()
          unsafe appendText(slot, object.span)
        } else {
          _ = unsafe appendNullText(slot)
        }
      case .utf8:
        if isNull {
          _ = unsafe appendNullText(slot)
        } else if plan.slots[slot].rule.isClosed, masks.rules[slot] == 0 {
          // Nothing of the record's content fits in there; it says where the record is from.
          _ = unsafe append(slot)
        } else {
          unsafe appendText(slot, failureText.span)
        }
      case .timestamp, .float64, .int64, .bool, .uuid: _ = unsafe append(slot)
      }
    }
  }

  /// What Masking puts in the place of the content, with the declared names the record has.
  private func failureObject() -> [UInt8] {
    let names = plan.slots.indices.filter { seen & (1 << UInt64($0)) != 0 }.map { plan.slots[$0].name }
    return masks.masking?.failureObject(names) ?? JSONColumnScanner.emptyObject
  }
}
