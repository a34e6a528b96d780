/// Finds one string in bytes, its ASCII case ignored if asked. `needle` is lower case then.
struct LiteralFinder: Sendable {
  let needle: [UInt8]
  let ignoreCase: Bool

  /// - Parameter needle: At least one byte.
  init(_ needle: [UInt8], ignoreCase: Bool) {
    precondition(!needle.isEmpty, "something to search for")
    self.ignoreCase = ignoreCase && needle.contains(where: \.isASCIILetter)
    self.needle = self.ignoreCase ? needle.map(\.asciiLowercased) : needle
  }

  /// The first place at or after `from`, with the whole needle before `end`; nil: none.
  func firstIndex(in text: UnsafeBufferPointer<UInt8>, from: Int, end: Int) -> Int? {
    let count = needle.count
    guard let base = text.baseAddress, end - from >= count else { return nil }
    let first = needle[0]
    let last = needle[count - 1]
    // A letter and its other case differ in bit 0x20 only.
    let firstMask = SIMD32<UInt8>(repeating: ignoreCase && first.isASCIILetter ? 0x20 : 0)
    let lastMask = SIMD32<UInt8>(repeating: ignoreCase && last.isASCIILetter ? 0x20 : 0)
    let firsts = SIMD32<UInt8>(repeating: first)
    let lasts = SIMD32<UInt8>(repeating: last)
    var position = from
    // In bounds: each load ends at position + count - 1 + 32 <= end.
    while position + count + 31 <= end {
      let raw = unsafe UnsafeRawPointer(base + position)
      let heads = unsafe raw.loadUnaligned(as: SIMD32<UInt8>.self) | firstMask
      let tails = unsafe raw.loadUnaligned(fromByteOffset: count - 1, as: SIMD32<UInt8>.self) | lastMask
      let hits = (heads .== firsts) .& (tails .== lasts)
      if any(hits) {
        for lane in 0..<32 where hits[lane] {
          if unsafe matches(base + position + lane) { return position + lane }
        }
      }
      position += 32
    }
    while position + count <= end {
      if unsafe matches(base + position) { return position }
      position += 1
    }
    return nil
  }

  /// Whether the needle lies at `place`, which has as many readable bytes.
  private func matches(_ place: UnsafePointer<UInt8>) -> Bool {
    if ignoreCase {
      for index in needle.indices where unsafe place[index].asciiLowercased != needle[index] { return false }
    } else {
      for index in needle.indices where unsafe place[index] != needle[index] { return false }
    }
    return true
  }
}
