import Records

/// Puts JSON records into columns: one pass over the text, no allocation per value.
///
/// A record is first scanned as a whole (each member's place is noted, containers are written compactly to
/// scratch memory) and then committed as a row, so that the last of several equal keys wins and a bad
/// record leaves no trace. Keys are guessed from the record before: equal bytes need no second look-up.
@safe package struct JSONColumnScanner: ~Copyable {
  static let unknownSlot: Int16 = -1
  static let reservedSlot: Int16 = -2
  private static let guessCount = 64

  /// What the scanner was made for.
  package let plan: ScanPlan
  let keys: KeyTable
  var columns: ScanColumns
  var values: UnsafeMutablePointer<Value>
  /// A bit a slot: the record has it.
  var seen: UInt64 = 0
  var members: [Member] = []
  var guesses: UnsafeMutablePointer<Guess>
  /// Rewritten text of the record: containers and members that are not stored as sent.
  var scratch: JSONWriter
  /// Members of the objects being rewritten, the innermost last.
  var nested: [NestedMember] = []
  /// Bounds of the body while a record is scanned.
  var base: UnsafePointer<UInt8>
  var end: UnsafePointer<UInt8>
  /// The top-level key being scanned, as offsets in the body.
  var keyRange = 0..<0
  /// Whether the string scanned last has escapes.
  var hasEscapes = false
  /// A bit a slot: the record has it more than once.
  private var repeated: UInt64 = 0
  /// Whether an object of the record, or its overflow, had a name more than once.
  var hasRepeatedMember = false
  /// The deepest container met since it was last set.
  var deepest = 0
  var masks: ScanMasks

  /// The first fault of the record scanned last.
  package private(set) var fault: ScanFault?
  /// Offset in the body where the fault was seen.
  package private(set) var faultAt = 0
  private var faultSlot = -1
  private var faultKey: [UInt8] = []

  /// Whether a name came twice in one object of the record scanned last, or came as a member and in the
  /// overflow object. Known for rows that were appended.
  package var hasRepeatedName: Bool { repeated != 0 || hasRepeatedMember }

  /// Whether the record scanned last has the member of a slot, as null.
  package func hasNull(slot: Int) -> Bool {
    invariant(slot >= 0 && slot < plan.slots.count, "a slot of the plan")
    // Within bounds: as just checked.
    return unsafe seen & (1 << UInt64(slot)) != 0 && values[slot].kind == .null
  }

  /// Rows committed so far.
  package var rowCount: Int { columns.rowCount }

  /// How often each rule of the plan's masking hid a value in the rows committed, by its number; 0 is unused.
  package var maskedCounts: [Int] { masks.counts }
  /// Rows whose content was given up because masking hit its bound.
  package var maskingFailedCount: Int { masks.failedCount }

  /// A scanner without rows. Traps on a plan that it cannot follow: more than 60 columns, ids among them.
  package init(_ plan: ScanPlan) {
    invariant(plan.slots.count <= 60, "a bit a column in one word")
    invariant(
      plan.overflowSlot.map { plan.slots[$0].type == .json } ?? true, "overflow goes into an object")
    invariant(!plan.slots.contains { $0.type == .uuid }, "ids are the server's to give")
    self.plan = plan
    keys = KeyTable(plan)
    masks = ScanMasks(plan)
    let textColumns = max(plan.slots.count { $0.type.isText }, 1)
    columns = ScanColumns(
      slots: plan.slots, rowCapacity: plan.byteCountHint / 256 + 16,
      byteCapacity: min(plan.byteCountHint / (textColumns + 1), 1 << 20))
    unsafe values = .allocate(capacity: plan.slots.count + 1)
    unsafe values.initialize(repeating: Value(), count: plan.slots.count + 1)
    unsafe guesses = .allocate(capacity: JSONColumnScanner.guessCount)
    unsafe guesses.initialize(repeating: Guess(), count: JSONColumnScanner.guessCount)
    scratch = JSONWriter(capacity: 4096)
    // Set to the body's bounds before any use; a valid pointer until then.
    unsafe base = UnsafePointer(scratch.bytes)
    unsafe end = base
  }

  deinit {
    unsafe values.deallocate()
    unsafe guesses.deallocate()
  }

  /// Name of the member the fault concerns, cut to 64 bytes.
  package var faultField: String? {
    if faultSlot >= 0 { return String(decoding: plan.slots[faultSlot].name, as: UTF8.self) }
    return faultKey.isEmpty ? nil : String(decoding: faultKey, as: UTF8.self)
  }

  /// The columns filled so far; the scanner is used up.
  package mutating func finish() -> [Column] { columns.finish() }

  /// Scans the object whose brace is at `start` and appends it as a row, unless it has a fault.
  ///
  /// - Returns: Offset behind the object (behind white space too, if a line end is needed); nil if its end
  ///   was not found. ``fault`` says whether a row was appended.
  package mutating func scan(_ body: Span<UInt8>, at start: Int) -> Int? {
    unsafe body.withUnsafeBufferPointer { bytes in
      guard let from = bytes.baseAddress, start >= 0, start < bytes.count, unsafe from[start] == 0x7B else {
        bug("a record starts with a brace")
      }
      // Everything below reads from `base` up to, not including, `end`; both hold until this closure returns.
      unsafe base = from
      unsafe end = from + bytes.count
      return unsafe scanRecord(from + start)
    }
  }

  @unsafe
  private mutating func scanRecord(_ start: UnsafePointer<UInt8>) -> Int? {
    fault = nil
    faultSlot = -1
    keyRange = 0..<0
    seen = 0
    repeated = 0
    hasRepeatedMember = false
    members.removeAll(keepingCapacity: true)
    scratch.removeAll()
    masks.beginRecord()
    guard let close = unsafe scanMembers(start + 1) else { return nil }
    let next = unsafe plan.needsLineEnd ? lineEnd(close) : close
    guard let next = unsafe next else { return nil }
    if unsafe close - start > plan.entryBytesMax {
      keyRange = 0..<0
      unsafe note(.entryTooLarge, start)
    }
    if fault == nil { unsafe commit(start) }
    return unsafe next - base
  }

  /// Remembers the first fault of a record.
  @inline(never)
  @unsafe
  mutating func note(_ found: ScanFault, _ at: UnsafePointer<UInt8>, slot: Int = -1) {
    guard fault == nil else { return }
    fault = found
    faultAt = unsafe at - base
    faultSlot = slot
    let cut = keyRange.lowerBound..<min(keyRange.upperBound, keyRange.lowerBound + 64)
    faultKey = unsafe [UInt8](UnsafeBufferPointer(start: base + cut.lowerBound, count: cut.count))
  }

  /// Notes a fault behind which the record's end cannot be found.
  @inline(never)
  @unsafe
  mutating func fail(_ found: ScanFault, _ at: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
    unsafe note(at == end ? .truncated : found, at)
    return nil
  }

  @unsafe
  private mutating func lineEnd(_ close: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
    var at = unsafe close
    while unsafe at < end, unsafe at[0] == 0x20 || at[0] == 0x09 || at[0] == 0x0D { unsafe at += 1 }
    if unsafe at == end || at[0] == 0x0A { return unsafe at }
    keyRange = 0..<0
    return unsafe fail(.expectedLineEnd, at)
  }

  @inline(__always)
  @unsafe
  func skipSpace(_ start: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
    var at = unsafe start
    while unsafe at < end, unsafe at[0] <= 0x20 {
      let byte = unsafe at[0]
      guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { break }
      unsafe at += 1
    }
    return unsafe at
  }

  /// The members of a record from behind its brace to behind the closing one.
  @unsafe
  private mutating func scanMembers(_ start: UnsafePointer<UInt8>) -> UnsafePointer<UInt8>? {
    var at = unsafe skipSpace(start)
    if unsafe at < end, unsafe at[0] == 0x7D { return unsafe at + 1 }
    var index = 0
    while true {
      guard unsafe at < end, unsafe at[0] == 0x22 else {
        keyRange = 0..<0
        return unsafe fail(.expectedKey, at)
      }
      let open = unsafe at
      var key = Key()
      guard let keyEnd = unsafe scanKey(open, index, &key) else { return nil }
      if index == plan.membersMax { unsafe note(.tooManyMembers, open) }
      var valueStart = unsafe keyEnd
      if unsafe valueStart < end, unsafe valueStart[0] == 0x3A {
        unsafe valueStart += 1
      } else {
        unsafe valueStart = skipSpace(valueStart)
        guard unsafe valueStart < end, unsafe valueStart[0] == 0x3A else {
          return unsafe fail(.expectedColon, valueStart)
        }
        unsafe valueStart += 1
      }
      unsafe valueStart = skipSpace(valueStart)
      let next =
        unsafe key.slot >= 0 && key.rule == 0
        ? scanDeclared(valueStart, Int(key.slot)) : scanOther(open, keyEnd, valueStart, key)
      guard let next = unsafe next else { return nil }
      unsafe at = skipSpace(next)
      index &+= 1
      guard unsafe at < end else { return unsafe fail(.truncated, at) }
      let byte = unsafe at[0]
      if byte == 0x2C {
        unsafe at = skipSpace(at + 1)
        continue
      }
      guard byte == 0x7D else { return unsafe fail(.expectedCommaOrBrace, at) }
      return unsafe at + 1
    }
  }

  /// The key whose quote is at `open`; returns the byte behind its closing quote.
  @inline(__always)
  @unsafe
  private mutating func scanKey(
    _ open: UnsafePointer<UInt8>, _ index: Int, _ key: inout Key
  ) -> UnsafePointer<UInt8>? {
    let place = min(index, JSONColumnScanner.guessCount - 1)
    if unsafe end - open >= 17 {
      // Within bounds: 16 bytes behind the quote are readable.
      let raw = unsafe UnsafeRawPointer(open + 1)
      let word0 = unsafe raw.loadUnaligned(as: UInt64.self)
      let word1 = unsafe raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
      let differs =
        unsafe ((word0 & guesses[place].mask0) ^ guesses[place].word0)
        | ((word1 & guesses[place].mask1) ^ guesses[place].word1)
      let count = unsafe guesses[place].key.count
      if differs == 0, count >= 0 {
        key = unsafe guesses[place].key
        let from = unsafe open + 1 - base
        keyRange = from..<from &+ count
        return unsafe open + (count &+ 2)
      }
    }
    return unsafe scanNewKey(open, place, &key)
  }

  @inline(never)
  @unsafe
  private mutating func scanNewKey(
    _ open: UnsafePointer<UInt8>, _ place: Int, _ key: inout Key
  ) -> UnsafePointer<UInt8>? {
    let from = unsafe open + 1 - base
    keyRange = from..<from
    guard let close = unsafe scanString(open + 1) else { return nil }
    let count = unsafe close - open - 1
    keyRange = from..<from + count
    if count > plan.keyBytesMax { unsafe note(.keyTooLong, open) }
    if hasEscapes {
      let start = scratch.used
      unsafe Canonical.appendPlain(open + 1, count, to: &scratch)
      key = unsafe keys.find(scratch.bytes + start, scratch.used - start)
      if masks.isOn { key.rule = unsafe ruleForRecordKey(scratch.bytes + start, scratch.used - start, key) }
      scratch.used = start
      key.count = -1
      return unsafe close + 1
    }
    key = unsafe keys.find(open + 1, count)
    key.count = count
    if masks.isOn { key.rule = unsafe ruleForRecordKey(open + 1, count, key) }
    // The guess holds the key and its closing quote.
    if count + 1 <= 16, fault == nil, unsafe end - open >= 17 {
      let raw = unsafe UnsafeRawPointer(open + 1)
      var guess = Guess()
      guess.mask0 = count + 1 >= 8 ? ~0 : (1 << (UInt64(count + 1) * 8)) - 1
      guess.mask1 = count + 1 <= 8 ? 0 : count + 1 == 16 ? ~0 : (1 << (UInt64(count - 7) * 8)) - 1
      guess.word0 = unsafe raw.loadUnaligned(as: UInt64.self) & guess.mask0
      guess.word1 = unsafe raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self) & guess.mask1
      guess.key = key
      unsafe guesses[place] = guess
    }
    return unsafe close + 1
  }

  /// Remembers that the record has the column's member.
  @inline(__always)
  mutating func noteSeen(_ slot: Int) {
    let bit: UInt64 = 1 << UInt64(slot)
    repeated |= seen & bit
    seen |= bit
  }

  /// The value of a declared column.
  @inline(__always)
  @unsafe
  private mutating func scanDeclared(
    _ at: UnsafePointer<UInt8>, _ slot: Int
  ) -> UnsafePointer<UInt8>? {
    noteSeen(slot)
    // Within bounds: slots come from the plan.
    return unsafe scanValue(at, &values[slot])
  }

  /// A value at the record's own level. Containers go to scratch.
  @inline(__always)
  @unsafe
  mutating func scanValue(
    _ at: UnsafePointer<UInt8>, _ value: inout Value
  ) -> UnsafePointer<UInt8>? {
    guard unsafe at < end else { return unsafe fail(.truncated, at) }
    let first = unsafe at[0]
    value.at = unsafe at - base
    value.start = value.at
    if first == 0x22 {
      guard let close = unsafe scanString(at + 1) else { return nil }
      value.kind = hasEscapes ? .escapedString : .string
      value.start &+= 1
      value.count = unsafe close - at - 1
      return unsafe close + 1
    }
    if first &- 0x30 <= 9 || first == 0x2D {
      guard let stop = unsafe JSONNumber.end(of: at, end) else { return unsafe fail(.badNumber, at) }
      value.kind = .number
      value.count = unsafe stop - at
      return unsafe stop
    }
    return unsafe scanOtherValue(at, first, &value)
  }

  @inline(never)
  @unsafe
  private mutating func scanOtherValue(
    _ at: UnsafePointer<UInt8>, _ first: UInt8, _ value: inout Value
  ) -> UnsafePointer<UInt8>? {
    if first == 0x7B || first == 0x5B {
      value.kind = first == 0x7B ? .object : .array
      value.start = scratch.used
      deepest = 2
      let maskCount = masks.applied.count
      guard let next = unsafe rewriteContainer(at, depth: 2) else { return nil }
      value.count = scratch.used - value.start
      value.depth = deepest
      value.isAltered = masks.applied.count != maskCount
      return unsafe next
    }
    guard let stop = unsafe literalEnd(at, first) else { return unsafe fail(.expectedValue, at) }
    value.kind = first == 0x6E ? .null : first == 0x74 ? .true : .false
    value.count = unsafe stop - at
    return unsafe stop
  }

  /// The byte behind `true`, `false` or `null` at `at`.
  @unsafe
  func literalEnd(_ at: UnsafePointer<UInt8>, _ first: UInt8) -> UnsafePointer<UInt8>? {
    guard unsafe end - at >= 4 else { return nil }
    let word = unsafe UInt32(littleEndian: UnsafeRawPointer(at).loadUnaligned(as: UInt32.self))
    if word == 0x6C6C_756E || word == 0x6575_7274 { return unsafe at + 4 }
    guard unsafe end - at >= 5, word == 0x736C_6166, unsafe at[4] == 0x65 else { return nil }
    return unsafe at + 5
  }
}
