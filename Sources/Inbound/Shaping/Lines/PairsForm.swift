import Codecs
import Records

/// Lines of names and values, and rows of a table, as JSON objects that a ``RecordShape`` reads.
enum PairsForm {
  static let pairsMax = 256

  /// logfmt: `time=2025-11-30T12:00:00Z level=info msg="hello world" n=1`. A name without a value is `true`.
  ///
  /// - Returns: nil: it is none; two pairs are needed, and nothing but pairs may be there.
  static func object(logfmt text: Span<UInt8>) -> [UInt8]? {
    var scan = LineScan(text)
    var writer = JSONWriter(capacity: text.count + 64)
    writer.beginObject()
    var (count, valued) = (0, 0)
    while true {
      scan.skipSpace(text)
      guard !scan.isAtEnd else { break }
      guard count < pairsMax, let name = name(text, &scan) else { return nil }
      writer.name(text: String(repairing: text.extracting(name)))
      count += 1
      guard scan.take("=", text) else {
        // A text of words is no logfmt.
        guard valued > 0 else { return nil }
        writer.value(true)
        continue
      }
      valued += 1
      guard write(valueAt: &scan, text, to: &writer) else { return nil }
    }
    guard valued >= 2, valued * 2 > count else { return nil }
    writer.endObject()
    return writer.takeBytes()
  }

  private static func name(_ text: Span<UInt8>, _ scan: inout LineScan) -> Range<Int>? {
    let start = scan.at
    while scan.at < scan.end, text[scan.at] > 0x20, text[scan.at] != UInt8(ascii: "="),
      text[scan.at] != UInt8(ascii: "\""), scan.at - start <= 128
    {
      scan.at += 1
    }
    guard scan.at > start, scan.at - start <= 128 else { return nil }
    return start..<scan.at
  }

  private static func write(
    valueAt scan: inout LineScan, _ text: Span<UInt8>, to writer: inout JSONWriter
  ) -> Bool {
    guard scan.peek(text) == UInt8(ascii: "\"") else {
      let value = scan.word(text)
      write(text, value, to: &writer)
      return true
    }
    guard let inside = scan.quoted(text) else { return false }
    writer.value(repaired: unescaped(text, inside).span)
    return true
  }

  /// As a number where it is one that reads back the same, else as text.
  private static func write(_ text: Span<UInt8>, _ value: Range<Int>, to writer: inout JSONWriter) {
    let part = text.extracting(value)
    if isNumber(text, value) { writer.value(written: part) } else { writer.value(repaired: part) }
  }

  /// Whether it is a number that JSON would write so.
  static func isNumber(_ text: Span<UInt8>, _ value: Range<Int>) -> Bool {
    guard (1...17).contains(value.count) else { return false }
    var start = value.lowerBound
    if text[start] == UInt8(ascii: "-") { start += 1 }
    var end = start
    while end < value.upperBound, text[end].isDigit { end += 1 }
    guard end > start, text[start] != UInt8(ascii: "0") || end == start + 1 else { return false }
    if end == value.upperBound { return true }
    return text[end] == UInt8(ascii: ".") && text.isNumber(end + 1..<value.upperBound)
  }

  /// Go's escapes; others stay.
  private static func unescaped(_ text: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count)
    var at = range.lowerBound
    while at < range.upperBound {
      let byte = text[at]
      guard byte == UInt8(ascii: "\\"), at + 1 < range.upperBound else {
        bytes.append(byte)
        at += 1
        continue
      }
      switch text[at + 1] {
      case UInt8(ascii: "n"): bytes.append(0x0A)
      case UInt8(ascii: "t"): bytes.append(0x09)
      case UInt8(ascii: "r"): bytes.append(0x0D)
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(text[at + 1])
      default: bytes += [byte, text[at + 1]]
      }
      at += 2
    }
    return bytes
  }

  // MARK: Tables

  /// A row as an object with the columns' names; nil: it has not as many cells, or a quote without its end.
  static func object(row text: Span<UInt8>, _ columns: LineColumns) -> [UInt8]? {
    guard let cells = cells(text, columns.separator), cells.count == columns.names.count else { return nil }
    var writer = JSONWriter(capacity: text.count * 2 + 64)
    writer.beginObject()
    for (name, cell) in zip(columns.names, cells) where !cell.isEmpty {
      writer.name(text: name)
      write(cell.span, 0..<cell.count, to: &writer)
    }
    writer.endObject()
    return writer.takeBytes()
  }

  /// RFC 4180: a quote within quotes is written twice.
  static func cells(_ text: Span<UInt8>, _ separator: UInt8) -> [[UInt8]]? {
    var cells: [[UInt8]] = []
    var cell: [UInt8] = []
    var at = 0
    while cells.count < pairsMax {
      cell.removeAll(keepingCapacity: true)
      if at < text.count, text[at] == UInt8(ascii: "\"") {
        at += 1
        while at < text.count {
          if text[at] == UInt8(ascii: "\"") {
            guard at + 1 < text.count, text[at + 1] == UInt8(ascii: "\"") else { break }
            at += 1
          }
          cell.append(text[at])
          at += 1
        }
        guard at < text.count else { return nil }
        at += 1
        guard at == text.count || text[at] == separator else { return nil }
      } else {
        while at < text.count, text[at] != separator {
          cell.append(text[at])
          at += 1
        }
      }
      cells.append(cell)
      guard at < text.count else { return cells }
      at += 1
    }
    return nil
  }
}

/// The columns of a table, as its first line has them.
package struct LineColumns: Sendable, Hashable {
  let separator: UInt8
  let names: [String]

  /// What tables of logs have: without one of these a first line is no header.
  private static let known: Set<Name> = [
    "message", "msg", "time", "timestamp", "ts", "date", "datetime", "@timestamp", "level", "severity", "log",
  ]

  /// - Returns: nil: it is no header.
  init?(header: Span<UInt8>) {
    for separator in [UInt8(ascii: ","), UInt8(ascii: ";"), 0x09] {
      guard let cells = PairsForm.cells(header, separator), cells.count >= 3 else { continue }
      let names = cells.map { LineColumns.name($0) }
      guard names.allSatisfy({ $0 != nil }) else { continue }
      let texts = names.compactMap(\.self)
      guard Set(texts.map { Name($0) }).count == texts.count,
        texts.contains(where: { LineColumns.known.contains(Name($0)) })
      else { continue }
      (self.separator, self.names) = (separator, texts)
      return
    }
    return nil
  }

  /// The cell as a name: as shapes know it where it is one of theirs in other letters.
  private static func name(_ cell: [UInt8]) -> String? {
    guard let first = cell.first, (1...64).contains(cell.count), first.isLetter || "_@#".utf8.contains(first),
      cell.allSatisfy({ $0.isLetter || $0.isDigit || "_@#.- ".utf8.contains($0) })
    else { return nil }
    let lower = String(decoding: cell.map { $0.isUpper ? $0 | 0x20 : $0 }, as: UTF8.self)
    return known.contains(Name(lower)) ? lower : String(decoding: cell, as: UTF8.self)
  }
}
