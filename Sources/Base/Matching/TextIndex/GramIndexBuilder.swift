import Records

/// Builds the gram filters of one block, page by page, in row order.
///
/// Memory: twice the distinct filters so far, and ``GramSet``'s.
package struct GramIndexBuilder: ~Copyable {
  /// Rows of a page; the last page may have fewer.
  package let rowsPerPage: Int

  private let scanner = GramSet()
  private let words = WordSet()
  private var names: [String] = []
  /// By column, by page: the number of the page's filter.
  private var numbers: [[UInt32]] = []
  private var filters: [UInt8] = []
  private var ends: [UInt32] = []
  private var known: [[UInt8]: UInt32] = [:]

  /// - Parameter rowsPerPage: At least 1.
  package init(rowsPerPage: Int) {
    invariant(rowsPerPage > 0, "a page of at least one row")
    self.rowsPerPage = rowsPerPage
  }

  /// Adds the next `rowCount` rows, e.g. a row group: any number of pages. Only the last call may bring a
  /// number of rows that is no multiple of ``rowsPerPage``.
  ///
  /// - Parameter texts: A text column as the one member of its name, or the parts of an object; the same
  ///   names in each call.
  package mutating func add(_ texts: [NestedText], rowCount: Int) {
    if names.isEmpty {
      names = texts.map(\.column)
      numbers = texts.map { _ in [] }
    }
    invariant(texts.map(\.column) == names, "the same columns in each call")
    for start in stride(from: 0, to: rowCount, by: rowsPerPage) {
      let rows = start..<min(start + rowsPerPage, rowCount)
      for (index, text) in texts.enumerated() {
        let filter = filter(of: text, rows)
        numbers[index].append(number(of: filter))
      }
    }
  }

  private func filter(of text: NestedText, _ rows: Range<Int>) -> [UInt8] {
    let grams = scanner
    var byteCount = 0
    for member in text.members where member.type == .utf8 {
      unsafe TextRows.forEach(of: member, in: rows) { bytes, _ in
        unsafe grams.insert(bytes)
        byteCount += bytes.count
      }
    }
    if let rest = text.rest {
      unsafe TextRows.forEach(of: rest, in: rows) { bytes, _ in
        unsafe JSONStrings.forEach(in: bytes) { value in
          unsafe grams.insert(value)
          byteCount += value.count
        }
      }
    }
    defer { grams.removeAll() }
    return GramFilter.encode(grams, scratch: words, byteCountMax: Self.filterByteCountMax(byteCount))
  }

  /// Beyond this the texts are so various that a filter would cost more than it saves.
  private static func filterByteCountMax(_ textByteCount: Int) -> Int { max(4096, textByteCount / 32) }

  /// Equal filters, as those of columns with few values, are kept once.
  private mutating func number(of filter: [UInt8]) -> UInt32 {
    if let number = known[filter] { return number }
    let number = UInt32(ends.count)
    filters += filter
    ends.append(UInt32(filters.count))
    known[filter] = number
    return number
  }

  /// The section's bytes (Docs/formats/text-index.md, gram filters); nil without columns, or if they would
  /// pass 4 GiB.
  package consuming func finish() -> [UInt8]? {
    guard !names.isEmpty, filters.count < Int(UInt32.max) else { return nil }
    var writer = ByteWriter()
    writer.append(varint: names.count)
    for name in names {
      let text = [UInt8](name.utf8)
      writer.append(varint: text.count)
      writer.bytes += text
    }
    writer.append(varint: ends.count)
    for column in numbers { for number in column { writer.append(number) } }
    for end in ends { writer.append(end) }
    return writer.bytes + filters
  }
}
