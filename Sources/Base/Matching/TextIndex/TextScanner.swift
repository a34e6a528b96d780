import CArrow

/// Finds the words of one text after the other, without a branch a byte.
///
/// `load` copies a text into padded scratch memory and makes three bitmaps (a bit a byte), 16 bytes
/// at once: word bytes, digits, and hexadecimal digits. Bytes from 0x80 on are word bytes until those of
/// characters that are of no word are taken out, in texts that have any. Words are then runs of
/// bits, found by counting zeros: a loop over bytes mispredicts at both ends of each word, which alone would
/// cost more than the time a row may take. Memory: 1.4 bytes per byte of the longest text.
@safe final class TextScanner {
  private(set) var byteCount = 0
  /// Some byte is 0xFF, which UTF-8 never has and skeletons mark slots with.
  private(set) var hasMarker = false
  /// Slots found by ``makeSkeleton(into:)``: the bytes they hold.
  private(set) var slotBytes = SIMD4<UInt64>.zero
  private(set) var skeletonLength = 0

  private var capacity = 0
  private var text: UnsafeMutableRawPointer
  private var skeleton: UnsafeMutableRawPointer
  private var wordBits: UnsafeMutablePointer<UInt64>
  private var digitBits: UnsafeMutablePointer<UInt64>
  private var hexBits: UnsafeMutablePointer<UInt64>
  private let characters = WordCharacters.shared

  /// Bytes that may be read and written behind the end of a text.
  private static let padding = 64
  static let marker: UInt8 = 0xFF
  private static let digits: SIMD4<UInt64> = [0x03FF_0000_0000_0000, 0, 0, 0]
  private static let lowerHex: SIMD4<UInt64> = [0x03FF_0000_0000_0000, 0x7E_0000_0000, 0, 0]

  init() {
    let bytes = 4096
    unsafe text = .allocate(byteCount: bytes + Self.padding, alignment: 64)
    unsafe skeleton = .allocate(byteCount: bytes + Self.padding, alignment: 64)
    unsafe wordBits = .allocate(capacity: bytes / 64 + 2)
    unsafe digitBits = .allocate(capacity: bytes / 64 + 2)
    unsafe hexBits = .allocate(capacity: bytes / 64 + 2)
    capacity = bytes
  }

  deinit {
    unsafe text.deallocate()
    unsafe skeleton.deallocate()
    unsafe wordBits.deallocate()
    unsafe digitBits.deallocate()
    unsafe hexBits.deallocate()
  }

  private func grow(to bytes: Int) {
    capacity = (max(bytes, capacity * 2) + 63) & ~63
    unsafe text.deallocate()
    unsafe skeleton.deallocate()
    unsafe wordBits.deallocate()
    unsafe digitBits.deallocate()
    unsafe hexBits.deallocate()
    unsafe text = .allocate(byteCount: capacity + Self.padding, alignment: 64)
    unsafe skeleton = .allocate(byteCount: capacity + Self.padding, alignment: 64)
    unsafe wordBits = .allocate(capacity: capacity / 64 + 2)
    unsafe digitBits = .allocate(capacity: capacity / 64 + 2)
    unsafe hexBits = .allocate(capacity: capacity / 64 + 2)
  }

  /// Takes a text over.
  @unsafe func load(_ source: UnsafeRawBufferPointer) {
    let count = source.count
    if count > capacity { grow(to: count) }
    byteCount = count
    if let from = source.baseAddress { unsafe text.copyMemory(from: from, byteCount: count) }
    // Padding that belongs to no class ends the last word; a chunk of 64 starts within the text, so it ends
    // within the padding.
    unsafe (text + count).initializeMemory(as: UInt8.self, repeating: 0x20, count: Self.padding)
    let chunks = (count + 63) >> 6
    var high: UInt64 = 0
    for chunk in 0..<chunks {
      // 64 bytes at a multiple of 64 within the text end within its padding. Chunk < capacity / 64 + 1, and
      // the arrays hold two more than capacity / 64.
      let classes = unsafe cw_classify64(text.assumingMemoryBound(to: UInt8.self) + chunk << 6)
      unsafe wordBits[chunk] = classes.word
      unsafe digitBits[chunk] = classes.digit
      unsafe hexBits[chunk] = classes.hex
      high |= classes.high
    }
    unsafe wordBits[chunks] = 0
    unsafe digitBits[chunks] = 0
    unsafe hexBits[chunks] = 0
    hasMarker = false
    if high != 0 { takeOutGaps() }
  }

  /// Clears the word bits of characters beyond ASCII that are of no word, and looks for the marker.
  @inline(never)
  private func takeOutGaps() {
    let base = unsafe UnsafePointer(text.assumingMemoryBound(to: UInt8.self))
    var markers: UInt64 = 0
    for chunk in 0..<(byteCount + 63) >> 6 {
      // In bounds: as in `load`, and the padding is longer than the one byte more.
      var leads = unsafe cw_leads64(base + chunk << 6)
      markers |= leads.marker
      while leads.lead != 0 {
        let place = chunk << 6 + leads.lead.trailingZeroBitCount
        leads.lead &= leads.lead &- 1
        // Lead bytes lie within the text: the padding has none, ends what the text cuts off, and is longer
        // than the four bytes.
        let bytes = UInt32(
          littleEndian: unsafe text.loadUnaligned(fromByteOffset: place, as: UInt32.self))
        let gap = (1 &<< UInt64(truncatingIfNeeded: characters.gap(bytes))) &- 1
        let bit = place & 63
        unsafe wordBits[chunk] &= ~(gap &<< UInt64(truncatingIfNeeded: bit))
        // Behind the last chunk is the zero one.
        if bit > 60 { unsafe wordBits[chunk + 1] &= ~(gap &>> UInt64(truncatingIfNeeded: 64 - bit)) }
      }
    }
    hasMarker = markers != 0
  }

  private static let ones: UInt64 = 0x0101_0101_0101_0101

  /// The end of the run of word bytes that `position` is in.
  @inline(__always)
  private func endOfWord(_ position: Int) -> Int {
    var chunk = position >> 6
    // A word ends before the zero chunk behind the last one.
    var gaps = unsafe ~wordBits[chunk] & (~0 &<< UInt64(truncatingIfNeeded: position & 63))
    while gaps == 0 {
      chunk += 1
      gaps = unsafe ~wordBits[chunk]
    }
    return chunk << 6 + gaps.trailingZeroBitCount
  }

  /// The start of the run of word bytes that `position` is in.
  @inline(__always)
  private func startOfWord(_ position: Int) -> Int {
    var chunk = position >> 6
    var gaps = unsafe ~wordBits[chunk] & ((1 &<< UInt64(truncatingIfNeeded: position & 63)) &- 1)
    while gaps == 0 {
      if chunk == 0 { return 0 }
      chunk -= 1
      gaps = unsafe ~wordBits[chunk]
    }
    return chunk << 6 + 64 - gaps.leadingZeroBitCount
  }

  /// Whether all bytes of `range` (not empty) have their bit set.
  @inline(__always)
  @unsafe private func isAll(_ bits: UnsafeMutablePointer<UInt64>, _ start: Int, _ end: Int) -> Bool {
    let first = start >> 6
    let last = (end - 1) >> 6
    let head = UInt64.max &<< UInt64(truncatingIfNeeded: start & 63)
    let tail = UInt64.max &>> UInt64(truncatingIfNeeded: 63 - ((end - 1) & 63))
    if first == last { return unsafe ~bits[first] & head & tail == 0 }
    if unsafe ~bits[first] & head != 0 || ~bits[last] & tail != 0 { return false }
    for chunk in first + 1..<last where unsafe bits[chunk] != ~0 { return false }
    return true
  }

  /// Positions of the chunk at which eight hexadecimal digits in a row begin.
  @inline(__always)
  private func hexRuns(_ chunk: Int) -> UInt64 {
    let one = unsafe hexBits[chunk]
    let next = unsafe hexBits[chunk + 1]
    let two = one & (one >> 1 | next << 63)
    let nextTwo = next & next >> 1
    let four = two & (two >> 2 | nextTwo << 62)
    let nextFour = nextTwo & nextTwo >> 2
    return four & (four >> 4 | nextFour << 60)
  }

  /// Calls `body` with the start and end of each word that is to become a slot, in order.
  @inline(__always)
  private func forEachSlotWord(_ body: (Int, Int) -> Void) {
    let chunks = (byteCount + 63) >> 6
    var passed = 0
    for chunk in 0..<chunks {
      let digits = unsafe digitBits[chunk]
      var seeds = digits | hexRuns(chunk)
      while seeds != 0 {
        let bit = seeds.trailingZeroBitCount
        seeds &= seeds &- 1
        let position = chunk << 6 + bit
        if position < passed { continue }
        let start = startOfWord(position)
        let end = endOfWord(position)
        if digits & (1 &<< UInt64(truncatingIfNeeded: bit)) == 0, unsafe !isAll(hexBits, start, end) {
          continue
        }
        body(start, end)
        passed = end
        // Seeds before the end are the same word's.
        if end >> 6 == chunk { seeds &= ~0 &<< UInt64(truncatingIfNeeded: end & 63) } else { seeds = 0 }
      }
    }
  }

  /// The hash of the word, and whether it has an upper-case letter.
  @inline(__always)
  private func hash(_ start: Int, _ end: Int) -> (hash: UInt32, hasUpper: Bool) {
    var hash = WordHash.begin(byteCount: end - start)
    var upper: UInt64 = 0
    var position = start
    let tops = Self.ones << 7
    while position < end {
      // Reads at most seven bytes behind the word: within the padding.
      var piece = UInt64(
        littleEndian: unsafe text.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      let rest = end - position
      if rest < 8 { piece &= (1 &<< UInt64(truncatingIfNeeded: rest << 3)) &- 1 }
      let low = piece & ~tops
      let capitals = (low &+ 0x3F &* Self.ones) & ~(low &+ 0x25 &* Self.ones) & ~piece & tops
      upper |= capitals
      hash = WordHash.add(piece | capitals >> 2, to: hash)
      position += 8
    }
    return (WordHash.endWord(hash), upper != 0)
  }

  /// Adds the hash of each slot word to `words`, writes the skeleton if `wantsSkeleton`, and sets
  /// ``slotBytes``.
  func scanSlots(into words: WordSet, wantsSkeleton: Bool) {
    var copied = 0
    var length = 0
    var bytes = SIMD4<UInt64>.zero
    forEachSlotWord { start, end in
      let (hash, hasUpper) = hash(start, end)
      words.insert(hash)
      guard wantsSkeleton else { return }
      if unsafe isAll(digitBits, start, end) {
        bytes |= Self.digits
      } else if unsafe !hasUpper && isAll(hexBits, start, end) {
        bytes |= Self.lowerHex
      } else {
        for position in start..<end {
          let byte = unsafe text.load(fromByteOffset: position, as: UInt8.self)
          bytes[Int(byte >> 6)] |= 1 << UInt64(byte & 63)
        }
      }
      length = copyLiteral(from: copied, to: start, at: length)
      // A skeleton is never longer than its text: each slot replaces at least one byte.
      unsafe skeleton.storeBytes(of: Self.marker, toByteOffset: length, as: UInt8.self)
      length += 1
      copied = end
    }
    guard wantsSkeleton else { return }
    length = copyLiteral(from: copied, to: byteCount, at: length)
    skeletonLength = length
    slotBytes = bytes
    // Zeros behind it, so that it can be hashed in pieces of 16.
    unsafe skeleton.storeBytes(of: 0, toByteOffset: length, as: UInt64.self)
    unsafe skeleton.storeBytes(of: 0, toByteOffset: length + 8, as: UInt64.self)
  }

  /// Copies text behind the skeleton, 16 bytes at a time; what is written too much lies in the padding or is
  /// written over.
  @inline(__always)
  private func copyLiteral(from start: Int, to end: Int, at length: Int) -> Int {
    var from = start
    var to = length
    while from < end {
      let piece = unsafe text.loadUnaligned(fromByteOffset: from, as: SIMD16<UInt8>.self)
      unsafe skeleton.storeBytes(of: piece, toByteOffset: to, as: SIMD16<UInt8>.self)
      from += 16
      to += 16
    }
    return length + (end - start)
  }

  /// The skeleton's hash, for the tables in memory; not part of the format.
  func skeletonHash() -> UInt64 {
    var hash = WordHash.begin(byteCount: skeletonLength)
    var position = 0
    while position < skeletonLength {
      let first = unsafe skeleton.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      let second = unsafe skeleton.loadUnaligned(fromByteOffset: position + 8, as: UInt64.self)
      hash = WordHash.fold(hash ^ first, second ^ WordHash.multiplier)
      position += 16
    }
    return WordHash.end(hash)
  }

  /// Hands the skeleton over.
  @inline(__always)
  func withSkeleton<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    unsafe body(UnsafeRawBufferPointer(start: skeleton, count: skeletonLength))
  }

  /// Adds the hash of each word to `words`.
  func scanWords(into words: WordSet) {
    let chunks = (byteCount + 63) >> 6
    var carry: UInt64 = 0
    for chunk in 0..<chunks {
      let bits = unsafe wordBits[chunk]
      var starts = bits & ~(bits << 1 | carry)
      carry = bits >> 63
      while starts != 0 {
        let position = chunk << 6 + starts.trailingZeroBitCount
        starts &= starts &- 1
        words.insert(hash(position, endOfWord(position)).hash)
      }
    }
  }
}
