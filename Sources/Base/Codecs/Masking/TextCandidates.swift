import CArrow
import Records

/// Where detectors of secrets must look closer: a filter at some bytes a nanosecond that passes over plain
/// text. It lies here since the scan of a record asks it for every text, and as its kernel is C.
package enum TextCandidates {
  /// Texts shorter than this hold nothing a detector knows: `a@b.cd` is the shortest.
  package static let bytesMin = 6

  /// The bit of detectors of which ``signs(_:)`` knows nothing: every text is theirs to look at.
  package static let unfilteredDetectors: UInt16 = 1 << 9

  /// The detectors, a bit each as in ``ScanMasking``, that may find something in `text`; none for most texts.
  /// Costs some nanoseconds a block of 16 bytes. Says no only where a detector finds nothing.
  package static func signs(_ text: Span<UInt8>) -> UInt16 {
    unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return 0 }
      return unsafe signs(base, bytes.count)
    }
  }

  /// As ``signs(_:)`` over `count` readable bytes.
  @inline(__always)
  @unsafe
  static func signs(_ text: UnsafePointer<UInt8>, _ count: Int) -> UInt16 {
    unsafe UInt16(truncatingIfNeeded: cw_mask_signs(text, count))
  }

  /// Four bytes that every secret of a kind has, wherever it stands: a few letters of a name, the first of a
  /// token.
  package struct Anchor: Sendable, Hashable {
    package enum Kind: Int32, Sendable {
      /// Within the name of a secret.
      case name = 1
      /// At or behind the start of a token.
      case token = 2
      /// The `://` of a URL.
      case url = 4
      /// Before the words of a PEM block.
      case block = 8
      /// The start of a scheme's name, `bearer` or `basic`.
      case word = 16
    }

    package let at: Int
    /// Where the token begins.
    package let start: Int
    package let kind: Kind
  }

  /// The first anchor from `start` on; nil if there is none. Costs as ``signs(_:)``.
  package static func anchor(_ text: Span<UInt8>, from start: Int) -> Anchor? {
    invariant(start >= 0, "an index")
    return unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress, start < bytes.count else { return nil }
      return unsafe anchor(cw_mask_anchor(base, start, bytes.count, anchorKinds))
    }
  }

  /// As ``anchor(_:from:)``, the way of machines without the instructions it is made of.
  package static func anchorPlainly(_ text: Span<UInt8>, from start: Int) -> Anchor? {
    invariant(start >= 0, "an index")
    return unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress, start < bytes.count else { return nil }
      return unsafe anchor(cw_mask_anchor_plain(base, start, bytes.count, anchorKinds))
    }
  }

  private static let anchorKinds: Int32 = 1 | 2 | 4 | 8 | 16

  private static func anchor(_ found: cw_anchor_t) -> Anchor? {
    Anchor.Kind(rawValue: found.kind).map { Anchor(at: found.at, start: found.start, kind: $0) }
  }

  /// Index from `start` on of the first byte at which an e-mail address (its `@`), a card number or an IBAN
  /// may begin; `text.count` if none can.
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
