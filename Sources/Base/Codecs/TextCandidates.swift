import CArrow

/// Where detectors of secrets must look closer: a filter at some bytes a nanosecond that passes over plain text.
package enum TextCandidates {
  /// Texts shorter than this hold nothing a detector knows: `a@b.cd` is the shortest.
  package static let bytesMin = 6

  /// Index from `start` on of the first byte at which an e-mail address (its `@`), a bearer token (its word), a JWT, a card
  /// number, an IBAN or a cloud key may begin; `text.count` if none can.
  package static func next(_ text: Span<UInt8>, from start: Int) -> Int {
    precondition(start >= 0, "an index")
    return unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress, start < bytes.count else { return bytes.count }
      return unsafe next(base, start, bytes.count)
    }
  }

  /// As ``next(_:from:)`` over `count` readable bytes, `start` ≤ `count`.
  @inline(__always)
  @unsafe
  static func next(_ text: UnsafePointer<UInt8>, _ start: Int, _ count: Int) -> Int {
    unsafe cw_mask_candidate(text, start, count)
  }
}

extension [UInt8] {
  /// Appends a copy of `bytes`.
  package mutating func append(copying bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}
