/// How much tables take beside what they have while they grow: what is asked of the budget before they do.
package enum TableGrowth {
  /// Bytes that an array takes at most when `adding` elements of `stride` bytes come to its `count` singly:
  /// its larger copy, which doubles until they fit.
  package static func ofArray(capacity: Int, count: Int, adding: Int, stride: Int) -> Int {
    count + adding > capacity ? 2 * (count + adding) * stride + 64 : 0
  }

  /// Bytes that slots of four bytes, at most half of them taken, take when `adding` entries come to `count`.
  package static func ofSlots(_ slotCount: Int, count: Int, adding: Int) -> Int {
    (count + adding) * 2 > slotCount ? max(slotCount * 2, (count + adding) * 4) * 4 : 0
  }
}
