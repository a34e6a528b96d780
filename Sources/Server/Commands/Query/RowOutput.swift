import Codecs
import Foundation
import Platform

/// Writes an answer to standard output as it comes.
struct RowOutput {
  private let isTable: Bool
  /// What is done to text for a terminal; nil: it is a program's, or bytes.
  private let shown: (([UInt8]) -> [UInt8])?
  private let isCount: Bool
  private let columns: [String]
  private let printer: RowPrinter
  private var carry: [UInt8] = []
  private var rows: [JSONTree] = []

  init(format: QueryCommand.Format, isCount: Bool, columns: [String]) {
    isTable = format == .table
    self.isCount = isCount
    self.columns = columns
    let isTerminal = ProcessLimits.isTerminal(1)
    switch format {
    case .json where isTerminal, .ndjson where isTerminal: shown = { VisibleText.escaped(json: $0) }
    case .csv where isTerminal: shown = { RowOutput.visibleCSV($0) }
    case .table, .json, .ndjson, .csv, .arrow, .parquet: shown = nil
    }
    let hasColour = isTerminal && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
    printer = RowPrinter(hasColour: hasColour, isTerminal: isTerminal)
  }

  mutating func write(_ bytes: [UInt8]) throws {
    guard isTable else { return try pass(bytes) }
    var start = 0
    // What was there before has no line end: a row of any length is looked through once.
    var from = carry.count
    carry += bytes
    var text = ""
    while let end = carry[from...].firstIndex(of: 10) {
      let row: JSONTree
      do { row = try JSONTree(parsing: Array(carry[start..<end])) } catch {
        throw Failure("the server's answer is not understood")
      }
      if isCount { rows.append(row) } else { text += printer.line(row) + "\n" }
      start = end + 1
      from = start
    }
    carry.removeFirst(start)
    try Output.print(text)
  }

  /// Text goes to a terminal up to its last whole character.
  private mutating func pass(_ bytes: [UInt8]) throws {
    guard let shown else { return try Output.print(bytes) }
    carry += bytes
    let end = RowOutput.wholeCharacters(carry)
    let text = Array(carry[..<end])
    carry.removeFirst(end)
    try Output.print(shown(text))
  }

  private static func visibleCSV(_ text: [UInt8]) -> [UInt8] {
    Array(VisibleText.shown(String(decoding: text, as: UTF8.self), keeping: "\r\n\t").utf8)
  }

  /// How many bytes of UTF-8 text end with a character.
  static func wholeCharacters(_ text: [UInt8]) -> Int {
    var start = text.count
    while start > 0, text.count - start < 4 {
      start -= 1
      switch text[start] {
      case 0x80..<0xC0: continue
      case 0xC0..<0xE0: return text.count - start < 2 ? start : text.count
      case 0xE0..<0xF0: return text.count - start < 3 ? start : text.count
      case 0xF0...: return text.count - start < 4 ? start : text.count
      default: return text.count
      }
    }
    return text.count
  }

  mutating func finish() throws {
    if let shown, !carry.isEmpty { try Output.print(shown(carry)) }
    guard isTable, isCount else { return }
    if columns == ["count"] {
      let total = rows.first?["count"].map(RowPrinter.text) ?? "0"
      try Output.print(total + "\n")
    } else {
      try Output.print(printer.table(rows, columns: columns))
    }
  }
}
