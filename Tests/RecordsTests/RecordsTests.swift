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
  @Test(arguments: Dataset.allCases)
  func schemasHangTogether(dataset: Dataset) {
    let schema = dataset.schema
    #expect(schema.dataset == dataset)
    #expect(Dataset(name: dataset.name) == dataset)
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
