import CArrow
import Records

/// What a scan remembers about masking. Without a plan for it only ``careSlots`` counts.
struct ScanMasks: ~Copyable {
  let masking: (any ScanMasking)?
  let isOn: Bool
  /// A bit a text slot: its values need more than copying.
  let careSlots: UInt64
  /// The rule that hides a slot's values, 0: none.
  let rules: [UInt16]
  private let detectors: [UInt8]
  private let memberDetectors: UInt8
  private let operationsMax: Int
  /// How many of the values being read are hidden or left out: nothing inside them is worth a rule.
  var asideDepth = 0
  /// The rules applied to the record being scanned.
  private(set) var applied: [UInt16] = []
  private(set) var isOverBound = false
  private(set) var counts: [Int] = []
  private(set) var failedCount = 0
  var alteredSlots: UInt64 = 0
  /// The masked text: what stands for the value hidden or looked into last.
  private(set) var text: [UInt8] = []
  /// What detectors found in the text looked into last: kept for its memory.
  private var found: [UInt16] = []
  /// A text with its escapes resolved: kept for its memory.
  private var plain: [UInt8] = []
  private var memory = KeyRules()

  init(_ plan: ScanPlan) {
    masking = plan.masking
    isOn = plan.masking != nil
    memberDetectors = plan.masking?.memberDetectors ?? 0
    operationsMax = plan.masking?.operationsMax ?? 0
    var careSlots: UInt64 = 0
    var rules: [UInt16] = []
    var detectors: [UInt8] = []
    for (index, slot) in plan.slots.enumerated() {
      let isFixed = slot.type == .timestamp || slot.type == .uuid
      let rule = isFixed ? 0 : plan.masking?.rule(forKey: slot.name.span) ?? 0
      let found = plan.masking?.detectors(forColumn: slot.name) ?? 0
      rules.append(rule)
      detectors.append(found)
      if slot.type == .utf8, rule != 0 || found != 0 || slot.rule != .any { careSlots |= 1 << UInt64(index) }
    }
    self.careSlots = careSlots
    self.rules = rules
    self.detectors = detectors
    if isOn { counts = [Int](repeating: 0, count: (plan.masking?.ruleNames.count ?? 0) + 1) }
  }

  /// Whether members' names matter where the scan is.
  var isOpen: Bool { isOn && asideDepth == 0 }
  /// Whether members' texts do.
  var looksIntoMembers: Bool { memberDetectors != 0 && asideDepth == 0 }

  mutating func beginRecord() {
    asideDepth = 0
    isOverBound = false
    if !applied.isEmpty { applied.removeAll(keepingCapacity: true) }
  }

  mutating func note(_ rule: UInt16) {
    guard applied.count < operationsMax else {
      isOverBound = true
      return
    }
    applied.append(rule)
  }

  /// Counts what was applied to a record that becomes a row.
  mutating func endRecord() {
    if isOverBound {
      failedCount += 1
    } else {
      for rule in applied { counts[Int(rule)] += 1 }
    }
  }

  /// The rule for a name of `count` bytes with the hash `hash`, of which 32 can be read if `isRoomy`.
  @unsafe
  mutating func rule(
    _ name: UnsafePointer<UInt8>, _ count: Int, hash: UInt64, isRoomy: Bool
  ) -> UInt16 {
    guard isRoomy, count <= KeyRules.nameBytesMax else { return unsafe ruleOfRules(name, count) }
    if let known = unsafe memory.find(name, count, hash) { return known }
    let rule = unsafe ruleOfRules(name, count)
    unsafe memory.keep(name, count, hash, rule)
    return rule
  }

  @inline(never)
  @unsafe
  private func ruleOfRules(_ name: UnsafePointer<UInt8>, _ count: Int) -> UInt16 {
    guard let masking else { return 0 }
    return unsafe masking.rule(
      forKey: Span(_unsafeElements: UnsafeBufferPointer(start: name, count: count)))
  }

  /// What stands for `text` under `rule` becomes the masked text.
  mutating func hide(_ rule: UInt16, _ hidden: Span<UInt8>?) {
    note(rule)
    text.removeAll(keepingCapacity: true)
    masking?.appendMask(rule, text: hidden, to: &text)
  }

  /// Whether detectors find something in a text; then it becomes the masked text.
  ///
  /// - Parameter slot: The column it is for; nil: a member.
  @unsafe
  mutating func redact(_ bytes: UnsafePointer<UInt8>, _ count: Int, slot: Int?) -> Bool {
    var wanted = slot.map { detectors[$0] } ?? memberDetectors
    guard wanted != 0, count >= TextCandidates.bytesMin else { return false }
    wanted &= unsafe TextCandidates.signs(bytes, count)
    guard wanted != 0 else { return false }
    let start = unsafe TextCandidates.next(bytes, 0, count)
    guard start < count, let masking else { return false }
    let span = unsafe Span(_unsafeElements: UnsafeBufferPointer(start: bytes, count: count))
    text.removeAll(keepingCapacity: true)
    found.removeAll(keepingCapacity: true)
    guard masking.appendRedacted(span, from: start, detectors: wanted, to: &text, found: &found) else {
      return false
    }
    for rule in found { note(rule) }
    return true
  }

  /// Resolves the escapes of the inside of a string and hands over what it stands for.
  @unsafe
  mutating func withPlain<R>(
    _ inside: UnsafePointer<UInt8>, _ count: Int, _ body: (inout ScanMasks, UnsafePointer<UInt8>, Int) -> R
  ) -> R {
    var bytes: [UInt8] = []
    swap(&bytes, &plain)
    bytes.removeAll(keepingCapacity: true)
    // One byte more, so that there is a first one to point to.
    bytes.reserveCapacity(count + 1)
    let inner = unsafe Span(_unsafeElements: UnsafeBufferPointer(start: inside, count: count))
    JSONScanner.appendUnescapedInside(inner, 0..<count, to: &bytes)
    let plainCount = bytes.count
    bytes.append(0)
    let result = unsafe bytes.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { preconditionFailure("an array with a byte has memory") }
      return unsafe body(&self, base, plainCount)
    }
    swap(&bytes, &plain)
    return result
  }
}

/// The rules of names met before in this scan: names repeat from record to record, and finding a rule costs as much as
/// parsing the member. One place a hash, the last name stays.
@safe struct KeyRules: ~Copyable {
  static let nameBytesMax = 32
  private static let placeCount = 256

  struct Place {
    /// What lies behind the name does not matter.
    var name = SIMD32<UInt8>()
    /// -1: free.
    var count: Int16 = -1
    var rule: UInt16 = 0
  }

  /// Nil until the first name is kept.
  private var places: UnsafeMutablePointer<Place>?

  init() { unsafe places = nil }

  deinit { unsafe places?.deallocate() }

  private static func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (placeCount - 1) }

  /// The rule kept for the `count` bytes at `name`, of which 32 are read.
  @inline(__always)
  @unsafe
  func find(_ name: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64) -> UInt16? {
    guard let place = unsafe places.map({ unsafe $0 + KeyRules.place(hash) }) else { return nil }
    guard unsafe Int(place.pointee.count) == count else { return nil }
    // Within bounds: 32 bytes on both sides.
    let known = unsafe UnsafeRawPointer(place).assumingMemoryBound(to: UInt8.self)
    return unsafe cw_mask_same_name(name, known, count) != 0 ? place.pointee.rule : nil
  }

  /// Keeps the rule for a name of at most 32 bytes, of which 32 are read.
  @unsafe
  mutating func keep(_ name: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64, _ rule: UInt16) {
    let places = unsafe places ?? .allocate(capacity: KeyRules.placeCount)
    if unsafe self.places == nil { unsafe places.initialize(repeating: Place(), count: KeyRules.placeCount) }
    unsafe self.places = places
    let bytes = unsafe UnsafeRawPointer(name).loadUnaligned(as: SIMD32<UInt8>.self)
    unsafe places[KeyRules.place(hash)] = Place(name: bytes, count: Int16(count), rule: rule)
  }
}

extension JSONColumnScanner {
  static let emptyObject = Array("{}".utf8)
  private static let failureText = Array("masking_failed".utf8)

  // MARK: Names

  /// The rule for a name of the record's own level.
  @unsafe
  mutating func ruleForRecordKey(_ name: UnsafePointer<UInt8>, _ count: Int, _ key: Key) -> UInt16 {
    if key.slot >= 0 { return masks.rules[Int(key.slot)] }
    // Names that lie in scratch or near the body's end are looked up without the memory.
    let isRoomy = unsafe name >= base && name < end && end - name >= KeyRules.nameBytesMax
    return unsafe masks.rule(name, count, hash: key.hash, isRoomy: isRoomy)
  }

  /// The rule for a member whose name's inside is `inside` in the body and, rewritten, at `offset` in scratch. Called right
  /// behind its scan.
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
        guard let text = buffer.baseAddress else { preconditionFailure("an array with a byte has memory") }
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
      return unsafe values[slot].depth - 1 > plan.slots[slot].depthMax ? .tooDeep : nil
    case .array:
      if masks.rules[slot] != 0 { return nil }
      return unsafe plan.slots[slot].takesEmptyArray && values[slot].count == 2 ? nil : .wrongType
    case .string, .escapedString, .number, .true, .false: return masks.rules[slot] != 0 ? nil : .wrongType
    }
  }

  /// Counts what was masked in the open row; replaces the row if that was more than the plan allows.
  @unsafe
  mutating func endMaskedRecord() {
    masks.endRecord()
    guard masks.isOverBound else { return }
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
          let text = JSONColumnScanner.failureText
          unsafe appendText(slot, text.span)
        }
      case .timestamp, .float64, .int64, .bool, .uuid: _ = unsafe append(slot)
      }
    }
  }

  /// `{"error":"masking_failed","original_keys":[…]}` with the declared names the record has.
  private func failureObject() -> [UInt8] {
    let names = plan.slots.indices.filter { seen & (1 << UInt64($0)) != 0 }.map { plan.slots[$0].name }
    return MaskingFailure.object(names)
  }
}

/// What is left of a record whose masking hit its bound.
package enum MaskingFailure {
  /// Stands in its text columns.
  package static let text = "masking_failed"

  /// `{"error":"masking_failed","original_keys":[…]}`.
  package static func object(_ names: [[UInt8]]) -> [UInt8] {
    var writer = JSONWriter(capacity: 256)
    writer.append(raw: "{\"error\":\"\(text)\",\"original_keys\":[")
    for (index, name) in names.enumerated() {
      if index > 0 { writer.append(raw: ",") }
      writer.appendString(name.span)
    }
    writer.append(raw: "]}")
    return writer.takeBytes()
  }
}

extension TextRule {
  /// Whether `text` keeps the rule. Valid UTF-8.
  func holds(for text: Span<UInt8>) -> Bool {
    switch self {
    case .any: return true
    case .characters(let range):
      // No character has more than four bytes.
      if text.count <= range.upperBound, text.count >= range.lowerBound, range.lowerBound <= 1 { return true }
      var count = 0
      for index in text.indices where text[index] & 0xC0 != 0x80 { count += 1 }
      return range.contains(count)
    case .slug(let most):
      guard text.count >= 1, text.count <= most else { return false }
      for index in text.indices {
        let byte = text[index]
        guard byte &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2D else { return false }
      }
      return true
    case .oneOf(let words):
      return words.contains { word in
        guard word.count == text.count else { return false }
        for index in word.indices where word[index] != text[index] { return false }
        return true
      }
    }
  }
}
