import Records

/// Numbers texts from 0 in the order they first come; null is a text of its own.
///
/// An open-addressing table over one array of bytes, so that a text seen before costs a hash and a comparison
/// and no memory. Of columns with a dictionary each value is looked up once, however many rows have it and in
/// however many batches that share it.
package struct TextNumbers: Sendable {
  /// What is known of a text beside its bytes.
  private struct Entry {
    var hash: UInt64
    /// Where it ends in ``bytes``.
    var end: Int
  }

  private var bytes: [UInt8] = []
  private var entries: [Entry] = []
  private var slots = [Int32](repeating: -1, count: 64)
  private var nullNumber: Int32 = -1

  /// The column whose dictionary ``known`` is of.
  private var dictionary: Column?
  /// The number of each of the dictionary's values; below 0: not looked up.
  private var known: [Int32] = []
  private var unknownCount = 0

  /// Without texts.
  package init() {}

  /// How many there are, null included.
  package var count: Int { entries.count }
  /// What is held, but for what is noted of a dictionary.
  package var byteCount: Int { bytes.capacity + entries.capacity * 16 + slots.capacity * 4 }
  /// Bytes of all texts.
  package var textByteCount: Int { bytes.count }

  /// How much it takes beside what it has when so many texts of so many bytes come to it.
  package func growth(adding textCount: Int, textBytes: Int) -> Int {
    TableGrowth.ofSlots(slots.count, count: count, adding: textCount)
      + TableGrowth.ofArray(capacity: bytes.capacity, count: bytes.count, adding: textBytes, stride: 1)
      + TableGrowth.ofArray(capacity: entries.capacity, count: count, adding: textCount, stride: 16)
  }

  // MARK: Numbering

  /// The number of null.
  package mutating func numberOfNull() -> Int32 {
    if nullNumber < 0 { nullNumber = append(hash: 0) }
    return nullNumber
  }

  /// The number of one text.
  package mutating func number(_ text: Span<UInt8>) -> Int32 {
    unsafe text.withUnsafeBytes { unsafe number(Lookup($0, hash: Hash64.xxh64(text))) }
  }

  /// Sets `numbers`, one a row, to the number of each row of a text column.
  package mutating func number(_ column: Column, into numbers: inout [Int32]) {
    switch column.storage {
    case .fixed: bug("group columns are read as text")
    case .dictionary: numberDictionary(column, into: &numbers)
    case .text: numberPlain(column, into: &numbers)
    }
  }

  /// Lets go of the column whose dictionary was met last.
  package mutating func forgetDictionary() {
    dictionary = nil
    known = []
  }

  private mutating func numberDictionary(_ column: Column, into numbers: inout [Int32]) {
    column.withDictionary { keys, offsets, bytes in
      if !(dictionary?.sharesDictionary(with: column) ?? false) {
        dictionary = column
        known = [Int32](repeating: -1, count: offsets.count - 1)
        unknownCount = known.count
      }
      column.withValidity { bits in
        // Values are looked up when a row has them: a batch may hold few of its dictionary.
        if unknownCount > 0 { lookUp(keys, bits, offsets, bytes) }
        let null = bits == nil ? -1 : numberOfNull()
        let known = known.span
        var numbers = numbers.mutableSpan
        guard let bits else {
          for row in keys.indices { numbers[row] = known[Int(keys[row])] }
          return
        }
        for row in keys.indices {
          numbers[row] = bits[row >> 3] & (1 << UInt8(row & 7)) == 0 ? null : known[Int(keys[row])]
        }
      }
    }
  }

  /// Numbers the values that rows have and that are not known yet.
  private mutating func lookUp(
    _ keys: Span<Int32>, _ bits: Span<UInt8>?, _ offsets: Span<Int32>, _ text: Span<UInt8>
  ) {
    var fresh: [Int32] = []
    do {
      var known = known.mutableSpan
      for row in keys.indices {
        if let bits, bits[row >> 3] & (1 << UInt8(row & 7)) == 0 { continue }
        let key = Int(keys[row])
        if known[key] != -1 { continue }
        known[key] = -2
        fresh.append(Int32(truncatingIfNeeded: key))
      }
    }
    unknownCount -= fresh.count
    unsafe text.withUnsafeBytes { text in
      var lookups = unsafe [Lookup]()
      for start in stride(from: 0, to: fresh.count, by: TextNumbers.chunk) {
        let some = fresh[start..<min(start + TextNumbers.chunk, fresh.count)]
        unsafe lookups.removeAll(keepingCapacity: true)
        for key in some {
          let range = Int(offsets[Int(key)])..<Int(offsets[Int(key) + 1])
          let bytes = unsafe UnsafeRawBufferPointer(rebasing: text[range])
          unsafe lookups.append(Lookup(bytes, hash: Hash64.xxh64(bytes, seed: 0)))
        }
        unsafe number(&lookups)
        for (place, key) in some.enumerated() { known[Int(key)] = unsafe lookups[place].number }
      }
    }
  }

  private mutating func numberPlain(_ column: Column, into numbers: inout [Int32]) {
    column.withText { offsets, bytes in
      var numbers = numbers.mutableSpan
      column.withValidity { bits in
        for row in numbers.indices {
          if let bits, bits[row >> 3] & (1 << UInt8(row & 7)) == 0 {
            numbers[row] = numberOfNull()
          } else {
            numbers[row] = number(bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1])))
          }
        }
      }
    }
  }

  /// The number each text of `other` has here, new ones added.
  package mutating func merge(_ other: TextNumbers) -> [Int32] {
    var numbers: [Int32] = []
    numbers.reserveCapacity(other.count)
    unsafe other.bytes.withUnsafeBytes { text in
      var lookups = unsafe [Lookup]()
      for start in stride(from: 0, to: other.count, by: TextNumbers.chunk) {
        unsafe lookups.removeAll(keepingCapacity: true)
        let end = min(start + TextNumbers.chunk, other.count)
        for number in start..<end {
          let bytes = unsafe UnsafeRawBufferPointer(rebasing: text[other.range(of: number)])
          unsafe lookups.append(Lookup(bytes, hash: other.entries[number].hash))
        }
        if (start..<end).contains(Int(other.nullNumber)) {
          // It has the bytes of an empty text, and is none.
          for number in start..<end { numbers.append(self.number(Int32(number), of: other)) }
          continue
        }
        unsafe number(&lookups)
        for place in 0..<end - start { numbers.append(unsafe lookups[place].number) }
      }
    }
    return numbers
  }

  /// The number that text `index` of `other` has here.
  package mutating func number(_ index: Int32, of other: TextNumbers) -> Int32 {
    if index == other.nullNumber { return numberOfNull() }
    return unsafe other.bytes.withUnsafeBytes { text in
      let bytes = unsafe UnsafeRawBufferPointer(rebasing: text[other.range(of: Int(index))])
      return unsafe number(Lookup(bytes, hash: other.entries[Int(index)].hash))
    }
  }

  // MARK: The table

  /// How many texts are looked up side by side.
  private static let chunk = 64

  /// A text to look up. Its bytes must outlive it.
  @unsafe private struct Lookup {
    let text: UnsafeRawBufferPointer
    let hash: UInt64
    var number: Int32 = -1

    init(_ text: UnsafeRawBufferPointer, hash: UInt64) {
      unsafe self.text = unsafe text
      unsafe self.hash = hash
    }
  }

  /// Numbers texts. What each needs is in no cache where there are many: the loads of all are begun before
  /// the first one's bytes are compared.
  @unsafe private mutating func number(_ lookups: inout [Lookup]) {
    let mask = slots.count - 1
    for index in unsafe lookups.indices {
      unsafe lookups[index].number = slots[Int(truncatingIfNeeded: lookups[index].hash) & mask]
    }
    for index in unsafe lookups.indices {
      let number = unsafe Int(lookups[index].number)
      if number >= 0, unsafe entries[number].hash != lookups[index].hash { unsafe lookups[index].number = -1 }
    }
    for index in unsafe lookups.indices {
      let lookup = unsafe lookups[index]
      if unsafe lookup.number >= 0, unsafe equals(lookup, Int(lookup.number)) { continue }
      unsafe lookups[index].number = unsafe number(lookup)
    }
  }

  @unsafe private mutating func number(_ lookup: Lookup) -> Int32 {
    let mask = slots.count - 1
    var slot = unsafe Int(truncatingIfNeeded: lookup.hash) & mask
    while slots[slot] >= 0 {
      let number = slots[slot]
      if unsafe entries[Int(number)].hash == lookup.hash, unsafe equals(lookup, Int(number)) { return number }
      slot = (slot + 1) & mask
    }
    unsafe bytes.append(contentsOf: lookup.text)
    let number = unsafe append(hash: lookup.hash)
    slots[slot] = number
    if count * 2 > slots.count { grow() }
    return number
  }

  @inline(__always)
  @unsafe private func equals(_ lookup: Lookup, _ number: Int) -> Bool {
    let range = range(of: number)
    guard unsafe lookup.text.count == range.count else { return false }
    return unsafe bytes.withUnsafeBytes { own in
      // Within bounds: a text's range lies within the bytes, and both are of one length.
      let count = range.count
      var at = 0
      while at + 8 <= count {
        let left = unsafe own.loadUnaligned(fromByteOffset: range.lowerBound + at, as: UInt64.self)
        if unsafe left != lookup.text.loadUnaligned(fromByteOffset: at, as: UInt64.self) { return false }
        at += 8
      }
      while at < count {
        if unsafe own[range.lowerBound + at] != lookup.text[at] { return false }
        at += 1
      }
      return true
    }
  }

  private mutating func append(hash: UInt64) -> Int32 {
    entries.append(Entry(hash: hash, end: bytes.count))
    return Int32(entries.count - 1)
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    let mask = slots.count - 1
    for number in entries.indices where Int32(number) != nullNumber {
      var slot = Int(truncatingIfNeeded: entries[number].hash) & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(number)
    }
  }

  private func range(of number: Int) -> Range<Int> {
    (number == 0 ? 0 : entries[number - 1].end)..<entries[number].end
  }
}

// MARK: Texts by number

extension TextNumbers {
  /// The text of a number; nil: null.
  package func text(_ number: Int) -> [UInt8]? {
    Int32(number) == nullNumber ? nil : Array(bytes[range(of: number)])
  }

  /// Bytes of the text of a number; 0 for null.
  package func byteCount(of number: Int) -> Int { range(of: number).count }

  /// The place of each text in the order of their bytes, null first.
  package func ranks() -> [Int32] {
    let order = (0..<Int32(count)).map { (number: $0, start: start(of: $0)) }.sorted { left, right in
      left.start != right.start ? left.start < right.start : compare(left.number, right.number) < 0
    }
    var ranks = [Int32](repeating: 0, count: count)
    for (rank, text) in order.enumerated() { ranks[Int(text.number)] = Int32(rank) }
    return ranks
  }

  /// The first eight bytes of a text as a number that orders as they do; 0 for null.
  private func start(of number: Int32) -> UInt64 {
    if number == nullNumber { return 0 }
    let range = range(of: Int(number))
    var start: UInt64 = 0
    for index in 0..<8 {
      start = start << 8 | (index < range.count ? UInt64(bytes[range.lowerBound + index]) : 0)
    }
    return start
  }

  /// Below, at or above 0, as text `left` comes before, is, or comes behind text `right` in the order of
  /// their bytes, null first.
  package func compare(_ left: Int32, _ right: Int32) -> Int {
    if left == right { return 0 }
    if left == nullNumber { return -1 }
    if right == nullNumber { return 1 }
    let (left, right) = (range(of: Int(left)), range(of: Int(right)))
    let bytes = bytes.span
    for index in 0..<min(left.count, right.count) {
      let (a, b) = (bytes[left.lowerBound + index], bytes[right.lowerBound + index])
      if a != b { return a < b ? -1 : 1 }
    }
    return left.count - right.count
  }
}
