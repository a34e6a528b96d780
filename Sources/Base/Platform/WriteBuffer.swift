import Records

/// Bytes to be written: grows by doubling, keeps its memory when emptied, starts at an address of 64. One
/// thread.
///
/// Whole columns are added with one call each; nothing here is meant for one row at a time.
@safe package final class WriteBuffer {
  private var memory: HeapMemory
  /// Bytes added so far.
  package private(set) var count = 0

  /// Takes memory for `capacity` bytes; it grows as bytes are added.
  package init(capacity: Int = 64 << 10) {
    memory = HeapMemory(byteCount: capacity)
  }

  /// Forgets the bytes. Memory beyond `keeping` bytes is given back.
  package func removeAll(keeping capacity: Int = .max) {
    count = 0
    if memory.byteCount > capacity { memory = HeapMemory(byteCount: capacity) }
  }

  /// Makes room for `additional` bytes.
  package func reserve(_ additional: Int) {
    if count + additional <= memory.byteCount { return }
    let larger = HeapMemory(byteCount: max(memory.byteCount * 2, count + additional))
    // Within bounds: both hold `count` bytes.
    unsafe larger.base.copyMemory(from: memory.base, byteCount: count)
    memory = larger
  }

  /// Adds an integer, little endian.
  package func append<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
    let size = MemoryLayout<Value>.size
    reserve(size)
    // Within bounds: reserved above.
    unsafe memory.base.storeBytes(of: value.littleEndian, toByteOffset: count, as: Value.self)
    count += size
  }

  /// Writes an integer, little endian, over bytes added before.
  package func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
    invariant(offset >= 0 && offset + MemoryLayout<Value>.size <= count, "over bytes added before")
    unsafe memory.base.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
  }

  /// Adds a copy of the bytes.
  package func append(_ bytes: Span<UInt8>) {
    reserve(bytes.count)
    unsafe bytes.withUnsafeBytes { source in
      guard let start = source.baseAddress else { return }
      // Within bounds: reserved above.
      unsafe (memory.base + count).copyMemory(from: start, byteCount: source.count)
    }
    count += bytes.count
  }

  package func append(_ bytes: [UInt8]) { append(bytes.span) }

  /// Adds the bytes `range` of `buffer`: one memory copy.
  package func append(_ buffer: Buffer, _ range: Range<Int>) {
    let part = buffer.slice(range)
    reserve(range.count)
    unsafe part.withUnsafeBytes { source in
      guard let start = source.baseAddress, source.count > 0 else { return }
      // Within bounds: reserved above.
      unsafe (memory.base + count).copyMemory(from: start, byteCount: source.count)
    }
    count += range.count
  }

  /// Adds so many zeros.
  package func appendZeros(_ zeros: Int) {
    reserve(zeros)
    // Within bounds: reserved above.
    unsafe (memory.base + count).initializeMemory(as: UInt8.self, repeating: 0, count: zeros)
    count += zeros
  }

  /// Adds zeros up to a multiple of eight.
  package func pad8() {
    appendZeros(-count & 7)
  }

  /// Adds Int32 offsets `range` of `offsets`, each plus `delta`. Traps on overflow of the last (they rise).
  package func appendOffsets(_ offsets: Buffer, _ range: Range<Int>, adding delta: Int) {
    if delta == 0 { return append(offsets, range.lowerBound * 4..<range.upperBound * 4) }
    let delta = Int32(delta)
    reserve(range.count * 4)
    invariant(count & 3 == 0, "offsets are aligned")
    offsets.slice(range.lowerBound * 4..<range.upperBound * 4).withSpan(of: Int32.self) { source in
      if source.count > 0 {
        invariant(!source[source.count - 1].addingReportingOverflow(delta).overflow, "less than 2 GiB")
      }
      // Within bounds: reserved above, one value for each of the source.
      let target = unsafe (memory.base + count).assumingMemoryBound(to: Int32.self)
      for index in source.indices { unsafe target[index] = source[index] &+ delta }
    }
    count += range.count * 4
  }

  /// Sets bits in a bitmap of this buffer that starts at byte `start` and reaches to its end: bit `at + i`
  /// becomes bit
  /// `from + i` of `source` (nil: 1), for `bitCount` bits. The bits must be zero before.
  package func setBits(
    inBitmapAt start: Int, bit at: Int, from source: Buffer?, sourceBit from: Int, count bitCount: Int
  ) {
    invariant(start >= 0 && start + (at + bitCount + 7) / 8 <= count, "the bitmap was added before")
    invariant(source.map { $0.byteCount * 8 >= from + bitCount } ?? true, "the source has the bits")
    let target = unsafe (memory.base + start).assumingMemoryBound(to: UInt8.self)
    guard let source else {
      for bit in at..<at + bitCount { unsafe target[bit >> 3] |= 1 << UInt8(bit & 7) }
      return
    }
    source.withSpan(of: UInt8.self) { bits in
      var index = 0
      if at & 7 == 0 && from & 7 == 0 {
        // Whole bytes; within bounds: checked above.
        while index + 8 <= bitCount {
          unsafe target[(at + index) >> 3] = bits[(from + index) >> 3]
          index += 8
        }
      }
      while index < bitCount {
        let bit = bits[(from + index) >> 3] >> UInt8((from + index) & 7) & 1
        unsafe target[(at + index) >> 3] |= bit << UInt8((at + index) & 7)
        index += 1
      }
    }
  }

  /// Hands over the bytes `range`; valid only while the closure runs, which must not add bytes.
  package func withSpan<R, E: Error>(
    _ range: Range<Int>, _ body: (Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    invariant(range.lowerBound >= 0 && range.upperBound <= count, "bytes added before")
    // Within bounds: checked above.
    let bytes = unsafe UnsafeRawBufferPointer(start: memory.base + range.lowerBound, count: range.count)
    return try unsafe body(Span(_unsafeElements: bytes.assumingMemoryBound(to: UInt8.self)))
  }
}
