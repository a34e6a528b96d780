import Records
import TestKit
import Testing

@testable import Blocks

/// Which pages a value of a text sort key can be in.
@Suite struct PageKeyTests {
  @Test(arguments: 0..<60) func noPageWithAMatchIsLeftOut(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let texts = ["a", "ab", "a-", "b", "ba", "é", "", "z"]
    let rows = (0..<Int.random(in: 1...200, using: &generator)).map { _ in
      (0..<2).map { _ in Array((texts.randomElement(using: &generator) ?? "").utf8) }
    }
    .sorted { Array($0.joined(separator: [0])).lexicographicallyPrecedes(Array($1.joined(separator: [0]))) }
    let rowsPerPage = Int.random(in: 1...9, using: &generator)
    let columns = (0..<2).map { index in
      var builder = TextBuilder()
      for row in rows { builder.appendRow(String(decoding: row[index], as: UTF8.self)) }
      return builder.finish()
    }
    let fields = ["container", "session"].map { Field($0, .utf8, isNullable: false) }
    let batch = RecordBatch(fields: fields, columns: columns, rowCount: rows.count)
    var keys = PageKeys()
    keys.add(batch, sortKey: ["container", "session"], rowsPerPage: rowsPerPage)
    let bytes = keys.encoded()
    #expect(try PageKeys(Buffer(copying: bytes), pageCount: keys.keys.count) == keys)
    for first in texts {
      for second in texts.map(Optional.some) + [nil] {
        let wanted = [first, second].compactMap { $0 }.map { Array($0.utf8) }
        let range = keys.pages(startingWith: wanted, columnCount: 2)
        let matching = Set(
          rows.indices.filter { Array(rows[$0].prefix(wanted.count)) == wanted }.map { $0 / rowsPerPage })
        #expect(matching.allSatisfy(range.contains), "\(wanted)")
        // At most the page before the first match is looked at in vain.
        #expect(range.count <= matching.count + 1, "\(wanted): \(range) for \(matching)")
      }
    }
    #expect(keys.pages(startingWith: [], columnCount: 2) == 0..<keys.keys.count)
  }

  @Test func damagedKeysAreErrors() {
    var bytes: [UInt8] = [1, 98, 1, 97]
    #expect(throws: IndexError.self) { try PageKeys(Buffer(copying: bytes), pageCount: 2) }
    bytes = [1, 97, 1, 98]
    #expect(throws: IndexError.self) { try PageKeys(Buffer(copying: bytes), pageCount: 1) }
    #expect(throws: IndexError.self) { try PageKeys(Buffer(copying: bytes), pageCount: 3) }
    #expect(throws: IndexError.self) { try PageKeys(Buffer(copying: [9, 97]), pageCount: 1) }
  }
}
