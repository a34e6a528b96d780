/// Arithmetic on times, which are nanoseconds since 1970 anywhere in Int64: a sum of one may not fit, the
/// difference of two is up to 2^64 - 1, and behind the last there is none. The only place for it.
extension Int64 {
  /// The sum, or the nearest time there is.
  package func addingClamped(_ nanoseconds: Int64) -> Int64 {
    let (sum, isBeyond) = addingReportingOverflow(nanoseconds)
    return isBeyond ? (nanoseconds > 0 ? .max : .min) : sum
  }

  /// The difference, or the nearest that has an absolute value: never `Int64.min`.
  package func subtractingClamped(_ other: Int64) -> Int64 {
    let (difference, isBeyond) = subtractingReportingOverflow(other)
    return isBeyond ? (other > 0 ? -.max : .max) : Swift.max(difference, -.max)
  }

  /// How far an earlier time lies before this one, whatever they are; 0 for a later one.
  package func nanoseconds(since earlier: Int64) -> UInt64 {
    earlier < self ? UInt64(bitPattern: self) &- UInt64(bitPattern: earlier) : 0
  }

  /// The end, not included, of what ends with this time: nil, no bound, for the last time there is.
  package var endBehind: Int64? { self == .max ? nil : self + 1 }

  /// The multiple of `width`, above 0, at or before this, at the earliest where time begins.
  package func flooredTime(by width: Int64) -> Int64 {
    let rest = self % width
    let (start, isBeyond) = subtractingReportingOverflow(rest >= 0 ? rest : rest + width)
    return isBeyond ? .min : start
  }
}
