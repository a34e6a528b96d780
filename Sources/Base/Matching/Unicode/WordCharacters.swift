import Records

/// What words are made of: Unicode's letters, marks and numbers (general categories L, M and N) and `_`. Of
/// ASCII that is ``ByteSet256/asciiWords``; the others are looked up, in a nanosecond or two each.
///
/// Bytes from 0x80 on that make no character are of words, so that everybody who looks, from whatever side,
/// comes to the same.
@safe struct WordCharacters: @unchecked Sendable {
  // Safe because: what the pointers lead to is written before anybody has them, and never freed.

  /// The one table, some 10 KiB.
  static let shared = WordCharacters()

  private static let scalarEnd: UInt32 = 0x110000
  /// Scalars of a block: 1 << blockBits.
  private static let blockBits = 8
  /// By the upper bits of a scalar, the number of its block.
  private let blocks: UnsafePointer<UInt8>
  /// A bit a scalar; equal blocks are there once.
  private let bits: UnsafePointer<UInt64>

  private init() {
    var scalars = [UInt64](repeating: 0, count: Int(Self.scalarEnd) >> 6)
    var place = 0
    var isWord = false
    for count in UnicodeTables.numbers(UnicodeTables.words) {
      let end = place + Int(count)
      if isWord { for scalar in place..<end { scalars[scalar >> 6] |= 1 << UInt64(scalar & 63) } }
      place = end
      isWord.toggle()
    }
    let step = (1 << Self.blockBits) >> 6
    var known: [ArraySlice<UInt64>: UInt8] = [:]
    var numbers: [UInt8] = []
    var distinct: [UInt64] = []
    for start in stride(from: 0, to: scalars.count, by: step) {
      let block = scalars[start..<start + step]
      // 129 blocks are distinct; more than 256 would trap here, in every test.
      let number = known[block] ?? UInt8(distinct.count / step)
      if known.updateValue(number, forKey: block) == nil { distinct += block }
      numbers.append(number)
    }
    let blockPlaces = UnsafeMutablePointer<UInt8>.allocate(capacity: numbers.count)
    unsafe blockPlaces.initialize(from: numbers, count: numbers.count)
    let bitPlaces = UnsafeMutablePointer<UInt64>.allocate(capacity: distinct.count)
    unsafe bitPlaces.initialize(from: distinct, count: distinct.count)
    unsafe blocks = UnsafePointer(blockPlaces)
    unsafe bits = UnsafePointer(bitPlaces)
  }

  /// Whether the scalar, ASCII or not, is of words.
  @inline(__always)
  func contains(_ scalar: UInt32) -> Bool {
    guard scalar < Self.scalarEnd else { return false }
    // In bounds: a block for each 1 << blockBits scalars, and its number is that of one in `bits`.
    let block = unsafe Int(blocks[Int(scalar >> UInt32(Self.blockBits))])
    let place = block << Self.blockBits | Int(scalar) & (1 << Self.blockBits - 1)
    return unsafe bits[place >> 6] & (1 &<< UInt64(truncatingIfNeeded: place & 63)) != 0
  }

  /// How many bytes the character takes that begins in the lowest of `bytes` (in the order of a text, the
  /// lowest first, zeros behind its end) if it is of no word; 0: it is of one.
  @inline(__always)
  func gap(_ bytes: UInt32) -> Int {
    let scalar: UInt32
    let count: Int
    if bytes & 0x80 == 0 {
      (scalar, count) = (bytes & 0x7F, 1)
    } else if bytes & 0xC0E0 == 0x80C0 {
      (scalar, count) = ((bytes & 0x1F) << 6 | bytes >> 8 & 0x3F, 2)
    } else if bytes & 0xC0_C0F0 == 0x80_80E0 {
      (scalar, count) = ((bytes & 0x0F) << 12 | bytes >> 2 & 0xFC0 | bytes >> 16 & 0x3F, 3)
    } else if bytes & 0xC0C0_C0F8 == 0x8080_80F0 {
      let upper = (bytes & 0x07) << 18 | bytes << 4 & 0x3_F000
      (scalar, count) = (upper | bytes >> 10 & 0xFC0 | bytes >> 24 & 0x3F, 4)
    } else {
      return 0
    }
    return contains(scalar) || scalar >= Self.scalarEnd ? 0 : count
  }

  /// Whether nothing of a word is right before or behind `hit` in the part `row` of `text`.
  func isBounded(_ hit: Range<Int>, in row: Range<Int>, _ text: Span<UInt8>) -> Bool {
    isGap(before: hit.lowerBound, from: row.lowerBound, text)
      && isGap(at: hit.upperBound, before: row.upperBound, text)
  }

  /// Whether nothing of a word ends before `place`, where a character begins; true at `start`.
  func isGap(before place: Int, from start: Int, _ text: Span<UInt8>) -> Bool {
    guard place > start else { return true }
    if text[place - 1] < 0x80 { return !ByteSet256.asciiWords.contains(text[place - 1]) }
    var lead = place - 1
    while lead > max(start, place - 4), text[lead] & 0xC0 == 0x80 { lead -= 1 }
    return lead + gap(text, at: lead, before: place) == place
  }

  /// Whether nothing of a word begins at `place`; true at `end`.
  func isGap(at place: Int, before end: Int, _ text: Span<UInt8>) -> Bool {
    place == end || gap(text, at: place, before: end) > 0
  }

  private func gap(_ text: Span<UInt8>, at place: Int, before end: Int) -> Int {
    var bytes: UInt32 = 0
    for next in place..<min(place + 4, end) { bytes |= UInt32(text[next]) << UInt32((next - place) * 8) }
    return gap(bytes)
  }

  /// The words of `text`: maximal runs of their characters.
  func words(of text: Span<UInt8>) -> [Range<Int>] {
    var words: [Range<Int>] = []
    var start = 0
    var place = 0
    while place < text.count {
      let gap = gap(text, at: place, before: text.count)
      if gap > 0 {
        if start < place { words.append(start..<place) }
        start = place + gap
      }
      place += max(gap, 1)
    }
    if start < place { words.append(start..<place) }
    return words
  }
}
