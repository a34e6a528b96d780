/// What a scan notes of the record at hand.
extension JSONColumnScanner {
  /// Where a declared member's value lies.
  struct Value {
    enum Kind: UInt8 {
      case null, string, escapedString, number, `true`, `false`, object, array
    }
    var kind: Kind = .null
    /// Offset in the body, or in scratch for containers. A string's inside.
    var start = 0
    var count = 0
    /// Offset in the body of the value's first byte, for faults.
    var at = 0
    /// A container's: the deepest of those in it, the record counted.
    var depth = 0
    /// A container's: something in it was masked.
    var isAltered = false
  }

  /// A member no column is named after, as the text `"key":value`.
  struct Member {
    var start: Int
    var count: Int
    var keyCount: Int
    var hash: UInt64
    /// Else in the body.
    var isInScratch: Bool
  }

  /// The key the record before had at this place.
  struct Guess {
    var word0: UInt64 = 0
    var word1: UInt64 = 0
    var mask0: UInt64 = 0
    var mask1: UInt64 = 0
    var key = Key()
  }

  /// A key that was looked up.
  struct Key {
    /// Bytes between the quotes; -1: a guess not made yet.
    var count = -1
    var slot: Int16 = JSONColumnScanner.unknownSlot
    /// Hides the value, unless 0.
    var rule: UInt16 = 0
    var hash: UInt64 = 0
  }
}
