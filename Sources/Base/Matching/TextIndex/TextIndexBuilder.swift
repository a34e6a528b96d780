import Records

/// The texts inside one object column, for the rows of one call of
/// ``TextIndexBuilder/add(text:nested:rowCount:)``.
package struct NestedText: Sendable {
  /// Name of the object column.
  package let column: String
  /// Members stored as columns; those that are not text hold no words and are passed over.
  package let members: [Column]
  /// JSON text of what is not in `members`; nil if there is none.
  package let rest: Column?

  /// The values of `column` in the rows to be added: its members' columns, and what is left of objects.
  package init(column: String, members: [Column], rest: Column?) {
    self.column = column
    self.members = members
    self.rest = rest
  }
}

/// Builds the text index of one block, page by page, in row order.
///
/// Memory: the index so far, the templates (at most 4 MiB of text), and the words of one page (32 bytes a
/// distinct word, at most 8 MiB a column).
package struct TextIndexBuilder: ~Copyable {
  /// Rows of a page; the last page may have fewer.
  package let rowsPerPage: Int

  private var templates: TemplateAssigner
  private var nested: [NestedColumn] = []
  private let scanner = TextScanner()
  private let words = WordSet()
  private var pageCount = 0
  private var rowCount = 0
  private var histograms = SectionWriter()
  private var identifiers = SectionWriter()
  private var filters = SectionWriter()

  private struct NestedColumn {
    let name: String
    let words = WordSet()
    var section = SectionWriter()
  }

  /// - Parameter rowsPerPage: 1 ... 65,535.
  package init(rowsPerPage: Int = 8192) {
    invariant((1...65_535).contains(rowsPerPage), "a page of 1 to 65,535 rows")
    self.rowsPerPage = rowsPerPage
    templates = TemplateAssigner()
  }

  /// Adds the next `rowCount` rows, e.g. a row group: any number of pages. Only the last call may bring a
  /// number of rows that is no multiple of ``rowsPerPage``.
  ///
  /// - Parameters:
  ///   - text: The block's text column, plain or dictionary; nil if the dataset has none.
  ///   - nested: The object columns; the same ones in each call.
  package mutating func add(text: Column?, nested texts: [NestedText] = [], rowCount count: Int) {
    invariant(rowCount % rowsPerPage == 0, "only the last page may be short")
    invariant(text.map { $0.rowCount == count } ?? true, "a text a row")
    if pageCount == 0 { nested = texts.map { NestedColumn(name: $0.column) } }
    invariant(texts.map(\.column) == nested.map(\.name), "the same object columns in each call")
    for start in stride(from: 0, to: count, by: rowsPerPage) {
      let rows = start..<min(start + rowsPerPage, count)
      addPage(text: text, rows: rows)
      for (index, nestedText) in texts.enumerated() { addPage(of: nestedText, at: index, rows: rows) }
      pageCount += 1
    }
    rowCount += count
  }

  /// Adds the rows of a text column alone.
  package mutating func addPage(_ text: Column) { add(text: text, rowCount: text.rowCount) }

  private mutating func addPage(text: Column?, rows: Range<Int>) {
    let (scanner, words) = (scanner, words)
    var byteCount = 0
    if let text {
      unsafe TextRows.forEach(of: text, in: rows) { bytes, row in
        unsafe templates.add(bytes, scanner: scanner, words: words, at: row)
        byteCount += bytes.count
      } repeated: { earlier, row in
        templates.repeatRow(earlier, at: row)
      } null: { row in
        templates.addNull(at: row)
      }
    } else {
      for row in 0..<rows.count { templates.addNull(at: row) }
    }
    let page = templates.endPage(rowCount: rows.count)
    histograms.append(PageIdentifiers.encode(histogram: page.histogram))
    identifiers.append(PageIdentifiers.encode(places: page.places, among: page.histogram.count))
    filters.append(WordFilter.encode(words, byteCountMax: Self.filterByteCountMax(byteCount)))
    words.removeAll()
  }

  private mutating func addPage(of text: NestedText, at index: Int, rows: Range<Int>) {
    let (scanner, words) = (scanner, nested[index].words)
    var byteCount = 0
    for member in text.members where member.type == .utf8 {
      unsafe TextRows.forEach(of: member, in: rows) { bytes, _ in
        unsafe scanner.load(bytes)
        scanner.scanWords(into: words)
        byteCount += bytes.count
      }
    }
    if let rest = text.rest {
      unsafe TextRows.forEach(of: rest, in: rows) { bytes, _ in
        byteCount += bytes.count
        unsafe JSONStrings.forEach(in: bytes) { value in
          unsafe scanner.load(value)
          scanner.scanWords(into: words)
        }
      }
    }
    nested[index].section.append(
      WordFilter.encode(words, byteCountMax: Self.filterByteCountMax(byteCount)))
    words.removeAll()
  }

  /// A filter of more than a quarter of what the text takes would cost more than it saves.
  private static func filterByteCountMax(_ textByteCount: Int) -> Int { max(4096, textByteCount / 4) }

  /// The index (Docs/formats/text-index.md).
  package consuming func finish() -> [UInt8] {
    let sections = [histograms, identifiers, filters] + nested.map(\.section)
    var head = ByteWriter()
    head.bytes = TextIndexLayout.magic + [TextIndexLayout.version, 0, 0, 0]
    head.append(UInt64(0))
    head.append(UInt64(rowCount))
    head.append(UInt32(pageCount))
    head.append(UInt32(rowsPerPage))
    head.append(UInt32(templates.count))
    head.append(UInt32(nested.count))
    for column in nested {
      let name = [UInt8](column.name.utf8)
      head.append(varint: name.count)
      head.bytes += name
    }
    templates.write(to: &head)
    for section in sections { head.bytes += section.directory.bytes }
    var length = ByteWriter()
    length.append(UInt64(head.bytes.count + 8))
    head.bytes.replaceSubrange(TextIndexLayout.headByteCountRange, with: length.bytes)
    head.append(TextIndexLayout.checksum(head.bytes.span))
    var bytes = head.bytes
    bytes.reserveCapacity(bytes.count + sections.reduce(0) { $0 + $1.bytes.count })
    for section in sections { bytes += section.bytes }
    return bytes
  }
}

/// The bytes of one section, and where each page's end.
struct SectionWriter {
  private(set) var bytes: [UInt8] = []
  private(set) var directory = ByteWriter()

  mutating func append(_ page: [UInt8]) {
    bytes += page
    directory.append(UInt64(bytes.count))
    directory.append(TextIndexLayout.checksum(page.span))
  }
}
