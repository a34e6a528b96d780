import CArrow
import Records

/// Where detectors of secrets must look closer: a filter at some bytes a nanosecond that passes over plain
/// text. It lies here since the scan of a record asks it for every text, and as its kernel is C.
package enum TextCandidates {
  /// Texts shorter than this hold nothing a detector knows: `a@b.cd` is the shortest.
  package static let bytesMin = 6

  /// The detectors, a bit each as in ``ScanMasking``, that may find something in `text`; none for most texts.
  /// Costs some nanoseconds a block of 16 bytes. Says no only where a detector finds nothing.
  package static func signs(_ text: Span<UInt8>) -> UInt8 {
    unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return 0 }
      return unsafe signs(base, bytes.count)
    }
  }

  /// As ``signs(_:)`` over `count` readable bytes.
  @inline(__always)
  @unsafe
  static func signs(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt8 {
    unsafe UInt8(truncatingIfNeeded: cw_mask_signs(text, count))
  }

  /// Index from `start` on of the first byte at which an e-mail address (its `@`), a bearer token (its word),
  /// a JWT, a card number, an IBAN or a cloud key may begin; `text.count` if none can.
  package static func next(_ text: Span<UInt8>, from start: Int) -> Int {
    invariant(start >= 0, "an index")
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
