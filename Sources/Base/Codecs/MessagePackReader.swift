/// Walks values of MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) one by one. Total:
/// any bytes give values or a fault, and nothing is copied or allocated; of a list or a map its elements come
/// next.
package struct MessagePackReader: Sendable {
  /// A value, or how a list or a map begins.
  package enum Value: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    /// Beyond `Int64.max`.
    case uint(UInt64)
    /// Of 32 or 64 bits.
    case float(Double)
    /// Where a text lies, which should be UTF-8; older writers have bytes here too.
    case text(Range<Int>)
    case binary(Range<Int>)
    /// So many values follow.
    case array(Int)
    /// So many pairs of values follow.
    case map(Int)
    /// A type of an application's, and where its bytes lie.
    case other(Int8, Range<Int>)
  }

  /// Why there is no value.
  package enum Fault: Error, Sendable, Hashable {
    /// The bytes end within it.
    case incomplete
    /// A byte that begins none.
    case malformed
  }

  private let bytes: [UInt8]
  /// Offset of the next value.
  package private(set) var at: Int
  private let end: Int

  /// - Parameter range: Where the values lie.
  package init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    at = range.lowerBound
    end = range.upperBound
  }

  /// Whether no value follows.
  package var isAtEnd: Bool { at >= end }

  /// The next value, or how it begins.
  package mutating func next() throws(Fault) -> Value {
    let (value, behind) = try MessagePackReader.value(bytes, at: at, end: end)
    guard behind <= end else { throw .incomplete }
    at = behind
    return value
  }

  /// Passes over the next value, whatever is in it. O(values in it).
  package mutating func skip() throws(Fault) {
    var left = 1
    while left > 0 {
      left += try next().elementCount - 1
    }
  }

  /// The value at `start`, and where the next begins, which may be behind `end`.
  ///
  /// - Throws: `.incomplete`: not even its length is there.
  static func value(_ bytes: [UInt8], at start: Int, end: Int) throws(Fault) -> (Value, Int) {
    guard start < end else { throw .incomplete }
    let first = bytes[start]
    func number(_ byteCount: Int, from: Int = 1) throws(Fault) -> UInt64 {
      guard end - start >= from + byteCount else { throw .incomplete }
      return (start + from..<start + from + byteCount).reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }
    /// Bytes whose length stands in so many bytes before them, and `more` between.
    func range(_ byteCount: Int, more: Int = 0) throws(Fault) -> Range<Int> {
      let from = start + 1 + byteCount + more
      return from..<from + Int(try number(byteCount))
    }
    func other(_ range: Range<Int>) throws(Fault) -> (Value, Int) {
      guard range.lowerBound <= end else { throw .incomplete }
      return (.other(Int8(bitPattern: bytes[range.lowerBound - 1]), range), range.upperBound)
    }
    func whole(_ value: UInt64) -> Value { Int64(exactly: value).map { .int($0) } ?? .uint(value) }
    func fixed(_ count: UInt8, from: Int) -> Range<Int> { from..<from + Int(count) }
    switch first {
    case 0x00...0x7F: return (.int(Int64(first)), start + 1)
    case 0x80...0x8F: return (.map(Int(first & 0x0F)), start + 1)
    case 0x90...0x9F: return (.array(Int(first & 0x0F)), start + 1)
    case 0xA0...0xBF:
      let range = fixed(first & 0x1F, from: start + 1)
      return (.text(range), range.upperBound)
    case 0xC0: return (.null, start + 1)
    case 0xC1: throw .malformed
    case 0xC2, 0xC3: return (.bool(first == 0xC3), start + 1)
    case 0xC4...0xC6:
      let range = try range(1 << (first - 0xC4))
      return (.binary(range), range.upperBound)
    case 0xC7...0xC9: return try other(try range(1 << (first - 0xC7), more: 1))
    case 0xCA:
      return (.float(Double(Float(bitPattern: UInt32(truncatingIfNeeded: try number(4))))), start + 5)
    case 0xCB: return (.float(Double(bitPattern: try number(8))), start + 9)
    case 0xCC...0xCF:
      let byteCount = 1 << Int(first - 0xCC)
      return (whole(try number(byteCount)), start + 1 + byteCount)
    case 0xD0...0xD3:
      let byteCount = 1 << Int(first - 0xD0)
      let shift = UInt64(64 - 8 * byteCount)
      return (.int(Int64(bitPattern: try number(byteCount) << shift) >> Int64(shift)), start + 1 + byteCount)
    case 0xD4...0xD8: return try other(fixed(1 << (first - 0xD4), from: start + 2))
    case 0xD9...0xDB:
      let range = try range(1 << (first - 0xD9))
      return (.text(range), range.upperBound)
    case 0xDC, 0xDD:
      let byteCount = first == 0xDC ? 2 : 4
      return (.array(Int(try number(byteCount))), start + 1 + byteCount)
    case 0xDE, 0xDF:
      let byteCount = first == 0xDE ? 2 : 4
      return (.map(Int(try number(byteCount))), start + 1 + byteCount)
    default: return (.int(Int64(Int8(bitPattern: first))), start + 1)
    }
  }
}

extension MessagePackReader.Value {
  /// How many values follow that belong to it.
  fileprivate var elementCount: Int {
    switch self {
    case .array(let count): count
    case .map(let count): 2 * count
    case .null, .bool, .int, .uint, .float, .text, .binary, .other: 0
    }
  }
}

/// Finds where values of MessagePack end that come bit by bit: goes on where it was when more has come, so
/// that each byte is looked at once.
package struct MessagePackScan: Sendable {
  /// Values that are still to come.
  private var left = 1
  /// How far the value goes, from its beginning, as far as is known.
  package private(set) var byteCount = 0

  /// At the beginning of a value.
  package init() {}

  /// Where the value that begins at `start` ends; nil: not all of it is there.
  package mutating func end(
    of bytes: [UInt8], from start: Int
  ) throws(MessagePackReader.Fault) -> Int? {
    while left > 0 {
      guard start + byteCount < bytes.count else { return nil }
      do throws(MessagePackReader.Fault) {
        let (value, behind) = try MessagePackReader.value(bytes, at: start + byteCount, end: bytes.count)
        left += value.elementCount - 1
        byteCount = behind - start
      } catch {
        guard case .incomplete = error else { throw error }
        return nil
      }
    }
    return start + byteCount <= bytes.count ? start + byteCount : nil
  }
}
