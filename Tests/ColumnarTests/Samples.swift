import Records
import Synchronization
import TestKit

@testable import Columnar

/// Collects what a writer hands over.
final class ByteSink: Sendable {
  private let state = Mutex<(bytes: [UInt8], limit: Int)>(([], .max))

  init(limit: Int = .max) { state.withLock { $0.limit = limit } }

  var bytes: [UInt8] { state.withLock { $0.bytes } }

  func take(_ span: Span<UInt8>) -> Bool {
    var piece: [UInt8] = []
    for index in span.indices { piece.append(span[index]) }
    let more = piece
    return state.withLock { state in
      if state.bytes.count + more.count > state.limit { return false }
      state.bytes += more
      return true
    }
  }
}

/// One row's value, comparable whatever the layout it came in.
enum Value: Equatable, CustomStringConvertible {
  case null
  case int(Int64)
  case double(UInt64)
  case bool(Bool)
  case bytes([UInt8])

  var description: String {
    switch self {
    case .null: "null"
    case .int(let value): "\(value)"
    case .double(let bits): "\(Double(bitPattern: bits))"
    case .bool(let value): "\(value)"
    case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
    }
  }
}

/// The rows of a column one by one: slow and plain.
func values(_ column: Column) -> [Value] {
  (0..<column.rowCount).map { row in
    guard column.isValid(row) else { return .null }
    switch column.type {
    case .int64, .timestamp: return column.withInt64 { .int($0[row]) }
    case .float64: return column.withFloat64 { .double($0[row].bitPattern) }
    case .bool: return column.withBits { .bool($0[row >> 3] & (1 << UInt8(row & 7)) != 0) }
    case .uuid: return column.withUUIDs { ids in .bytes((0..<16).map { ids[row * 16 + $0] }) }
    case .utf8, .json:
      if case .dictionary = column.storage {
        return column.withDictionary { keys, starts, text in
          let key = Int(keys[row])
          return .bytes((Int(starts[key])..<Int(starts[key + 1])).map { text[$0] })
        }
      }
      return column.withText { starts, text in
        .bytes((Int(starts[row])..<Int(starts[row + 1])).map { text[$0] })
      }
    }
  }
}

/// A column of `type` from plain values.
func column(_ type: ColumnType, _ values: [Value]) -> Column {
  switch type {
  case .int64, .timestamp:
    var builder = FixedBuilder<Int64>()
    for value in values {
      if case .int(let number) = value { builder.append(number) } else { builder.appendNull(placeholder: 7) }
    }
    return builder.finish(type: type)
  case .float64:
    var builder = FixedBuilder<Double>()
    for value in values {
      if case .double(let bits) = value {
        builder.append(Double(bitPattern: bits))
      } else {
        builder.appendNull(placeholder: 0)
      }
    }
    return builder.finish(type: type)
  case .bool:
    var builder = BoolBuilder()
    for value in values {
      if case .bool(let bit) = value { builder.append(bit) } else { builder.appendNull() }
    }
    return builder.finish()
  case .uuid:
    var builder = FixedBuilder<(UInt64, UInt64)>()
    for value in values {
      guard case .bytes(let bytes) = value else {
        builder.appendNull(placeholder: (0, 0))
        continue
      }
      let halves = [bytes[0..<8], bytes[8..<16]].map { half in
        half.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      }
      builder.append((halves[0], halves[1]))
    }
    return builder.finish(type: .uuid)
  case .utf8, .json:
    var builder = TextBuilder()
    for value in values {
      if case .bytes(let bytes) = value {
        for byte in bytes { builder.append(byte) }
        builder.endRow()
      } else {
        builder.appendNull()
      }
    }
    return builder.finish(type: type)
  }
}

/// The same rows in dictionary layout, distinct values in order of appearance, nulls with index 0.
func dictionaryLayout(_ plain: Column) -> Column {
  var distinct: [[UInt8]] = []
  var indices: [Int32] = []
  for value in values(plain) {
    guard case .bytes(let bytes) = value else {
      indices.append(0)
      continue
    }
    if let known = distinct.firstIndex(of: bytes) {
      indices.append(Int32(known))
    } else {
      indices.append(Int32(distinct.count))
      distinct.append(bytes)
    }
  }
  if distinct.isEmpty { distinct = [[]] }
  var starts: [Int32] = [0]
  for value in distinct { starts.append(starts[starts.count - 1] + Int32(value.count)) }
  return Column(
    type: plain.type, rowCount: plain.rowCount, validity: plain.validity,
    storage: .dictionary(
      indices: Buffer(copying: indices), offsets: Buffer(copying: starts),
      bytes: Buffer(copying: distinct.flatMap { $0 }), valueCount: distinct.count))
}

/// A field of each type, nullable and not.
let sampleFields: [Field] = [ColumnType.int64, .float64, .bool, .utf8, .uuid, .json, .timestamp].flatMap {
  type in [Field("\(type).some", type, isNullable: true), Field("\(type)_all", type, isNullable: false)]
}

/// `rowCount` random rows of `fields`; nullable columns are now and then null throughout.
func sampleBatch(
  _ fields: [Field] = sampleFields, rowCount: Int, using random: inout SeededGenerator
) -> RecordBatch {
  let columns = fields.map { field -> Column in
    let allNull = field.isNullable && random.chance(oneIn: 6)
    let nullEvery = field.isNullable ? [2, 10, 1000].randomElement(using: &random) ?? 2 : Int.max
    let cardinality = [3, 200, 1 << 40].randomElement(using: &random) ?? 3
    let drawn = (0..<rowCount).map { row -> Value in
      if allNull || (nullEvery < Int.max && random.chance(oneIn: nullEvery)) { return .null }
      let pick = Int64.random(in: 0..<Int64(cardinality), using: &random)
      switch field.type {
      case .int64: return .int(pick &* (random.chance(oneIn: 2) ? 1 : -1))
      case .timestamp: return .int(1_700_000_000_000_000_000 &+ Int64(row) &* 1_000_003 &+ pick % 1000)
      case .float64: return .double((Double(pick) / 8).bitPattern)
      case .bool: return .bool(pick & 1 == 0)
      case .uuid: return .bytes((0..<16).map { UInt8(truncatingIfNeeded: pick >> ($0 % 8)) &+ UInt8($0) })
      case .json: return .bytes(Array("{\"n\":\(pick)}".utf8))
      case .utf8:
        let repeats = Int(pick % 7)
        return .bytes(Array((String(repeating: "é line ", count: repeats) + "\(pick)").utf8))
      }
    }
    return column(field.type, drawn)
  }
  return RecordBatch(fields: fields, columns: columns, rowCount: rowCount)
}

/// A file of the batches, a row group each.
func parquet(
  _ batches: [RecordBatch], options: [ParquetColumnOptions]? = nil, sortedBy: [String] = [],
  rowsPerPage: Int = 100, metadata: [(String, String)] = []
) throws -> [UInt8] {
  let sink = ByteSink()
  let fields = batches[0].fields
  let writer = try ParquetWriter(
    fields: fields, options: options ?? fields.map { ParquetColumnOptions(encoding: encoding(for: $0.type)) },
    sortedBy: sortedBy, rowsPerPage: rowsPerPage, sink: sink.take)
  for batch in batches { try writer.writeRowGroup(batch) }
  try writer.finish(metadata: metadata)
  return sink.bytes
}

func encoding(for type: ColumnType) -> ParquetColumnOptions.Encoding {
  switch type {
  case .int64, .timestamp: .delta
  case .float64, .utf8: .dictionary
  case .bool, .json, .uuid: .plain
  }
}
