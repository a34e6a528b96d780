import Records

// Why this is not in the module Masking: it is a part of the scanner's state, and what the scanner asks
// between two bytes must be inlined into it, which only happens within a module; it also reads names by
// pointer, and `unsafe` is for Base alone. What rules are, how they are found, what stands for a value and
// what detectors see is Masking's: asked for through ``ScanMasking`` once a distinct name and once a text
// that may hold something.

/// What a scan remembers about masking. Without a plan for it only ``careSlots`` counts.
struct ScanMasks: ~Copyable {
  let masking: (any ScanMasking)?
  let isOn: Bool
  /// A bit a text slot: its values need more than copying.
  let careSlots: UInt64
  /// The rule that hides a slot's values, 0: none.
  let rules: [UInt16]
  private let detectors: [UInt16]
  private let memberDetectors: UInt16
  private let operationsMax: Int
  /// How many of the values being read are hidden or left out: nothing inside them is worth a rule.
  var asideDepth = 0
  /// The rules applied to the record being scanned.
  private(set) var applied: [UInt16] = []
  private(set) var isOverBound = false
  private(set) var counts: [Int] = []
  private(set) var failedCount = 0
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
    var detectors: [UInt16] = []
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
    let span = unsafe Span(_unsafeElements: UnsafeBufferPointer(start: name, count: count))
    return masking.rule(forKey: span) | NamedPair.role(of: span)
  }

  /// The rule that hides the members called as `text` says; 0 for none, and for texts that are no names.
  func rule(named text: Span<UInt8>) -> UInt16 {
    guard let masking, text.count <= NamedPair.nameBytesMax else { return 0 }
    return masking.rule(forKey: text)
  }

  /// Takes back what was noted of a value that is hidden as a whole after all.
  mutating func forget(_ range: Range<Int>) {
    applied.removeSubrange(range.clamped(to: 0..<applied.count))
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
    let isLong = count >= TextCandidates.bytesMin
    guard isLong ? wanted != 0 : wanted & TextCandidates.unfilteredDetectors != 0 else { return false }
    wanted &= unsafe TextCandidates.signs(bytes, count) | TextCandidates.unfilteredDetectors
    guard wanted != 0 else { return false }
    guard let masking else { return false }
    let span = unsafe Span(_unsafeElements: UnsafeBufferPointer(start: bytes, count: count))
    text.removeAll(keepingCapacity: true)
    found.removeAll(keepingCapacity: true)
    guard masking.appendRedacted(span, detectors: wanted, to: &text, found: &found) else {
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
      guard let base = buffer.baseAddress else { bug("an array with a byte has memory") }
      return unsafe body(&self, base, plainCount)
    }
    swap(&bytes, &plain)
    return result
  }
}
