/// What keeps a buffer over a mapped file in place, and knows whether the file could be read.
package protocol FileMapping: AnyObject, Sendable {
  /// The first byte, from the file's start, of a page that the disk did not give when it was read: the file
  /// was cut, or a sector is bad. Readers saw zeros there. nil: none so far. One load, on any thread.
  var failedByte: Int? { get }
  /// Takes the pages of `range`, in bytes from the file's start, out of this process's memory; what lies
  /// outside of the mapping is passed over. Buffers stay valid on every thread: whoever reads there next
  /// meets the page again, from the system's cache or the disk. Some microseconds a megabyte, and ten times
  /// as much as the pages come back.
  func letGo(_ range: Range<Int>)
}

extension Buffer {
  /// The mapping that the bytes lie in; nil: they lie in memory. To be asked for once and kept.
  package var fileMapping: (any FileMapping)? { retainedOwner as? any FileMapping }

  /// A copy of the bytes in memory of its own.
  package func copied() -> Buffer {
    let copy = HeapMemory(byteCount: byteCount)
    unsafe withUnsafeBytes { source in
      guard let start = source.baseAddress, source.count > 0 else { return }
      // Within bounds: `copy` has room for as many bytes.
      unsafe copy.base.copyMemory(from: start, byteCount: source.count)
    }
    return Buffer(copy, byteCount: byteCount)
  }

  /// A copy of the `count` offsets (Int32) of a text column whose text has `byteCount` bytes; nil unless they
  /// begin at 0, never fall, and stay within the text. 0.25 ns an offset.
  ///
  /// The copy is what is checked, so it is what readers meet, whatever becomes of the file below.
  package func checkedOffsets(count: Int, byteCount: Int) -> Buffer? {
    guard count > 0, count * 4 <= self.byteCount else { return nil }
    let copy = slice(0..<count * 4).copied()
    let isGood = copy.withSpan(of: Int32.self) { offsets -> Bool in
      // The sign of what is negative or falls: without a branch, so that several are checked at once. Where a
      // difference overflows, one of its numbers is negative.
      var signs = offsets[0]
      for index in 1..<count { signs |= offsets[index] | (offsets[index] &- offsets[index &- 1]) }
      return signs >= 0 && offsets[0] == 0 && Int(offsets[count - 1]) <= byteCount
    }
    return isGood ? copy : nil
  }
}
