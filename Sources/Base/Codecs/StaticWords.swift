extension Span<UInt8> {
  /// Whether the bytes of `word` stand at `start`; false where they do not fit.
  package func has(_ word: StaticString, at start: Int) -> Bool {
    let size = word.utf8CodeUnitCount
    guard start >= 0, start <= count, size <= count - start else { return false }
    return word.withUTF8Buffer { bytes in
      // Within bounds: `size` is the buffer's count.
      for index in 0..<size where unsafe bytes[index] != self[start + index] { return false }
      return true
    }
  }
}
