import CArrow
import Records

/// Finds one string in bytes, its ASCII case ignored if asked.
struct LiteralFinder: Sendable {
  /// Longer needles are searched for by the automaton: a text made to almost match everywhere would cost
  /// needle times text here.
  static let needleBytesMax = 64

  /// Lower case if case is ignored.
  let needle: [UInt8]
  let ignoreCase: Bool
  private let firstProbe: Int
  private let secondProbe: Int

  /// - Parameter needle: 1 to ``needleBytesMax`` bytes.
  init(_ needle: [UInt8], ignoreCase: Bool) {
    invariant(!needle.isEmpty && needle.count <= LiteralFinder.needleBytesMax, "something to search for")
    self.ignoreCase = ignoreCase && needle.contains(where: \.isASCIILetter)
    let bytes = self.ignoreCase ? needle.map(\.asciiLowercased) : needle
    self.needle = bytes
    // The two rarest places of a needle, the later one first among equals: repeated bytes tell little.
    let places = bytes.indices.sorted {
      (LiteralFinder.commonness[Int(bytes[$0])], $1) < (LiteralFinder.commonness[Int(bytes[$1])], $0)
    }
    firstProbe = places[0]
    secondProbe = places.first { bytes[$0] != bytes[places[0]] } ?? places[places.count - 1]
  }

  /// How common a byte is in logs, 0 for the rarest.
  private static let commonness: [UInt8] = {
    var ranks = [UInt8](repeating: 1, count: 256)
    for byte in 0..<32 { ranks[byte] = 0 }
    for byte in 0x41...0x5A { ranks[byte] = 20 }
    let common = "~`^$!|?%#@+;*&<>\\\"'{}[]()zjqxkvwbyghpfum,/:=_dl9876c5432rhsniaot01-.e "
    for (rank, byte) in common.utf8.enumerated() { ranks[Int(byte)] = UInt8(rank + 2) }
    return ranks
  }()

  /// The first place at or after `from`, with the whole needle before `end`; nil: none.
  /// `from` and `end` lie within the text.
  func firstIndex(in text: UnsafeBufferPointer<UInt8>, from: Int, end: Int) -> Int? {
    guard let base = text.baseAddress, end - from >= needle.count else { return nil }
    let place = unsafe needle.withUnsafeBufferPointer { bytes in
      var wanted = unsafe cw_needle(
        bytes: bytes.baseAddress, count: bytes.count, first_probe: firstProbe, second_probe: secondProbe,
        ignore_case: ignoreCase ? 1 : 0)
      // In bounds: end - from bytes of the text from `from` on.
      return unsafe cw_find(base + from, end - from, &wanted)
    }
    return place < 0 ? nil : from + place
  }
}
