import Records

/// The gram filters of one block (Docs/formats/text-index.md), read in place. Any number of threads may use
/// it.
package struct GramIndex: Sendable {
  /// Pages of the block.
  package let pageCount: Int
  /// Where each column's filter numbers start among ``numbers``.
  private let places: [String: Int]
  private let numbers: [UInt32]
  /// Where each filter ends, counted from the first one's start.
  private let ends: [UInt32]
  private let start: Int
  private let bytes: Buffer

  /// Checks all counts and places; the filters are checked when they are used. The bytes' checksum is the
  /// caller's business.
  package init(_ bytes: Buffer, pageCount: Int) throws(TextIndexError) {
    self.bytes = bytes
    self.pageCount = pageCount
    (places, numbers, ends, start) = try bytes.withSpan(of: UInt8.self) { (span) throws(TextIndexError) in
      try GramIndex.read(span, pageCount: pageCount)
    }
  }

  private static func read(
    _ bytes: Span<UInt8>, pageCount: Int
  ) throws(TextIndexError) -> ([String: Int], [UInt32], [UInt32], Int) {
    var reader = ByteCursor()
    guard let columnCount = reader.varint(in: bytes), columnCount <= 1 << 16 else {
      throw .corrupt("grams: columns")
    }
    var places: [String: Int] = [:]
    for column in 0..<columnCount {
      guard let length = reader.varint(in: bytes), let text = reader.take(length, of: bytes),
        let name = String(validating: text, as: UTF8.self), places[name] == nil
      else { throw .corrupt("grams: names") }
      places[name] = column * pageCount
    }
    let rest = bytes.count / 4
    guard let filterCount = reader.varint(in: bytes), filterCount <= rest, pageCount <= rest,
      columnCount * pageCount <= rest
    else { throw .corrupt("grams: counts") }
    var numbers: [UInt32] = []
    numbers.reserveCapacity(columnCount * pageCount)
    for _ in 0..<columnCount * pageCount {
      guard let number = reader.integer(UInt32.self, in: bytes), number < filterCount else {
        throw .corrupt("grams: the number of a filter")
      }
      numbers.append(number)
    }
    var ends: [UInt32] = []
    ends.reserveCapacity(filterCount)
    for _ in 0..<filterCount {
      guard let end = reader.integer(UInt32.self, in: bytes), end >= ends.last ?? 0 else {
        throw .corrupt("grams: the end of a filter")
      }
      ends.append(end)
    }
    guard reader.position + Int(ends.last ?? 0) == bytes.count else { throw .corrupt("grams: length") }
    return (places, numbers, ends, reader.position)
  }

  /// Whether the column has filters.
  package func holds(_ column: String) -> Bool { places[column] != nil }

  /// Drops the pages in which no text of the column (of an object: no string value in it) can be what the
  /// query is of.
  ///
  /// About 50 ns a page.
  package func narrow(
    _ pages: inout Selection, column: String, by query: GramQuery
  ) throws(TextIndexError) {
    guard let first = places[column], !query.isEmpty else { return }
    invariant(pages.rowCount == pageCount, "pages of the block")
    var kept = pages
    var last: (number: UInt32, passes: Bool)?
    for page in pages.indices() {
      let number = numbers[first + Int(page)]
      // Neighbours often share a filter.
      if last?.number != number {
        guard let passes = withFilter(number, { GramFilter.passes(query, $0) }) else {
          throw .corrupt("grams: filter \(number)")
        }
        last = (number, passes)
      }
      if last?.passes == false { kept.remove(Int(page)) }
    }
    pages = kept
  }

  private func withFilter<R>(_ number: UInt32, _ body: (Span<UInt8>) -> R) -> R {
    let from = number == 0 ? 0 : Int(ends[Int(number) - 1])
    let to = Int(ends[Int(number)])
    return bytes.withSpan(of: UInt8.self) { body($0.extracting(start + from..<start + to)) }
  }

  /// Looks at every filter, for `cordwood check`.
  package func verify() throws(TextIndexError) {
    for number in ends.indices where !withFilter(UInt32(number), GramFilter.isSound) {
      throw .corrupt("grams: filter \(number)")
    }
  }
}
