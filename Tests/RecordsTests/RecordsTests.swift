import Testing

@testable import Records

struct BuilderTests {
  @Test func fixedColumnsKeepValuesAndNullsAcrossGrowth() {
    var builder = FixedBuilder<Int64>(capacity: 8)
    for row in 0..<1000 {
      if row % 7 == 3 { builder.appendNull(placeholder: 0) } else { builder.append(Int64(row)) }
    }
    let column = builder.finish(type: .int64)
    #expect(column.rowCount == 1000)
    column.withInt64 { values in
      for row in 0..<1000 {
        #expect(column.isValid(row) == (row % 7 != 3))
        if row % 7 != 3 { #expect(values[row] == Int64(row)) }
      }
    }
    #expect(builder.count == 0, "the builder starts again")
    builder.append(5)
    let again = builder.finish(type: .int64)
    #expect(again.rowCount == 1 && again.validity == nil)
    #expect(column.isValid(0) && !column.isValid(3), "the first column is untouched by what follows")
  }

  @Test(arguments: [0, 1, 7, 8, 9, 63, 64, 65, 1000])
  func bitmapsAreRightAtEveryLength(count: Int) {
    var bits = BitBuilder()
    for index in 0..<count { bits.append(index % 3 != 1) }
    #expect(bits.count == count)
    #expect(bits.clearCount == (0..<count).filter { $0 % 3 == 1 }.count)
    bits.finishBits().withSpan(of: UInt8.self) { bytes in
      for index in 0..<count {
        #expect((bytes[index >> 3] & (1 << UInt8(index & 7)) != 0) == (index % 3 != 1))
      }
    }
  }

  @Test func textRowsMayBeBuiltInPiecesDiscardedAndNull() {
    var builder = TextBuilder(capacity: 1, byteCapacity: 1)
    builder.append(contentsOf: "half a ")
    builder.discardRow()
    builder.append(contentsOf: "whole ")
    builder.append(contentsOf: "row")
    builder.endRow()
    builder.append(contentsOf: "lost")
    builder.appendNull()
    builder.appendRow("")
    for index in 0..<500 { builder.appendRow("row \(index) größer") }
    let column = builder.finish()
    #expect(column.rowCount == 503)
    #expect(!column.isValid(1) && column.isValid(2))
    column.withText { offsets, bytes in
      func row(_ index: Int) -> String {
        String(decoding: (Int(offsets[index])..<Int(offsets[index + 1])).map { bytes[$0] }, as: UTF8.self)
      }
      #expect(row(0) == "whole row")
      #expect(row(1).isEmpty && row(2).isEmpty)
      #expect(row(502) == "row 499 größer")
    }
  }

  @Test func boolColumnsKeepValuesAndNulls() {
    var builder = BoolBuilder()
    builder.append(true)
    builder.appendNull()
    builder.append(false)
    let column = builder.finish()
    #expect(column.rowCount == 3)
    #expect([0, 1, 2].map(column.isValid) == [true, false, true])
    column.withBits { bits in #expect(bits[0] & 0b101 == 0b001) }
  }

  @Test func aColumnOfNullsHasNoValue() {
    for type in [ColumnType.int64, .bool, .utf8, .json, .uuid, .float64, .timestamp] {
      let column = Column.nulls(type: type, rowCount: 9)
      #expect((0..<9).allSatisfy { !column.isValid($0) })
    }
  }
}

struct SchemaTests {
  @Test(arguments: Registry.standard.datasets)
  func schemasHangTogether(dataset: Dataset) {
    let schema = dataset.schema
    #expect(schema.code == dataset.code)
    #expect(Registry.standard.dataset(named: dataset.name) == dataset)
    #expect(Set(schema.fields.map(\.name)).count == schema.fields.count)
    let special =
      schema.sortKey + schema.bloomColumns + schema.summaryColumns
      + [schema.primaryText, schema.overflowColumn].compactMap { $0 }
    for name in special { #expect(schema.index(of: name) != nil, "\(name)") }
    #expect(schema.declaredFields.first?.name == "timestamp")
    #expect(schema.declaredFields.count == schema.fields.count - 3)
    if let overflow = schema.overflowColumn { #expect(schema.field(overflow)?.type == .json) }
  }

  @Test func tenantNamesAreBounded() {
    #expect(Tenant.isValid(name: "a"))
    #expect(!Tenant.isValid(name: ""))
    #expect(!Tenant.isValid(name: "a\0b"))
    #expect(Tenant.isValid(name: String(repeating: "x", count: 512)))
    #expect(!Tenant.isValid(name: String(repeating: "x", count: 513)))
  }

  @Test func equalNamesInTwoRealmsAreDifferentTenants() {
    #expect(Tenant(realm: .native, name: "a") != Tenant(realm: .audit, name: "a"))
  }

  @Test func pathsPrintWithTheirQuoting() {
    #expect(
      ColumnPath("metadata", members: ["a", "b.c", "d\"e"]).description == "metadata.a[\"b.c\"][\"d\\\"e\"]")
  }
}

struct PredicateTests {
  @Test func bothFlattensAndSimplifies() {
    let a = Predicate.exists(ColumnPath("level"))
    let b = Predicate.exists(ColumnPath("service"))
    #expect(Predicate.both(.all, a) == a)
    #expect(Predicate.both(a, .none) == .none)
    #expect(Predicate.both(.and([a, b]), a) == .and([a, b, a]))
    #expect(Predicate.both(a, b) == .and([a, b]))
  }
}

struct GatherTests {
  private func batch(_ range: Range<Int>) -> RecordBatch {
    var numbers = FixedBuilder<Int64>()
    var texts = TextBuilder()
    var flags = BoolBuilder()
    for value in range {
      if value % 5 == 2 { numbers.appendNull(placeholder: 0) } else { numbers.append(Int64(value)) }
      if value % 3 == 1 { texts.appendNull() } else { texts.appendRow("v\(value)") }
      flags.append(value % 2 == 0)
    }
    return RecordBatch(
      fields: [
        Field("n", .int64, isNullable: true), Field("t", .utf8, isNullable: true),
        Field("b", .bool, isNullable: true),
      ], columns: [numbers.finish(type: .int64), texts.finish(), flags.finish()], rowCount: range.count)
  }

  @Test(arguments: 0..<40)
  func anyRunsGiveTheRowsTheyName(seed: Int) {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    let sources = [batch(0..<100), batch(100..<117), batch(200..<208)]
    let runs = (0..<random(9)).map { _ in
      let source = random(3)
      let start = random(sources[source].rowCount)
      return RowRun(source: source, start: start, count: random(sources[source].rowCount - start + 1))
    }
    let base = [0, 100, 200]
    let expected = runs.flatMap { run in (0..<run.count).map { base[run.source] + run.start + $0 } }
    let result = RecordBatch.gather(sources, runs: runs)
    #expect(result.rowCount == expected.count, "seed \(seed)")
    for (row, value) in expected.enumerated() {
      #expect(result.columns[0].isValid(row) == (value % 5 != 2))
      #expect(result.columns[1].isValid(row) == (value % 3 != 1))
      result.columns[0].withInt64 { if value % 5 != 2 { #expect($0[row] == Int64(value)) } }
      result.columns[1].withText { offsets, bytes in
        let text = (Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] }
        #expect(text == (value % 3 == 1 ? [] : Array("v\(value)".utf8)))
      }
      result.columns[2].withBits { #expect(($0[row >> 3] >> UInt8(row & 7)) & 1 == (value % 2 == 0 ? 1 : 0)) }
    }
  }
}
