import CArrow
import Records

/// The caller's function that takes bytes, as an object the C side can hold a pointer to.
final class Sink {
  let write: (Span<UInt8>) -> Bool

  init(_ write: @escaping (Span<UInt8>) -> Bool) { self.write = write }

  /// Given to the C side together with this function; must be kept alive by the owner of the writer.
  var context: UnsafeMutableRawPointer { unsafe Unmanaged.passUnretained(self).toOpaque() }

  static let function: cw_sink = { context, bytes, count in
    guard let context = unsafe context, let bytes = unsafe bytes else { return 1 }
    let sink = unsafe Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
    // The C side hands over `count` readable bytes for the time of the call.
    let span = unsafe Span(_unsafeStart: bytes, count: Int(count))
    return sink.write(span) ? 0 : 1
  }
}

/// Hands `fields` over as C columns; the pointers in them are valid only while the closure runs.
@unsafe func withColumns<R>(
  _ fields: [Field], _ body: (UnsafePointer<cw_column>, Int32) -> R
) -> R {
  unsafe withColumns(
    fields, options: fields.map { _ in ParquetColumnOptions(encoding: .plain) }, sortedBy: [], body)
}

/// As above, with how each column is stored in Parquet.
@unsafe func withColumns<R>(
  _ fields: [Field], options: [ParquetColumnOptions], sortedBy: [String],
  _ body: (UnsafePointer<cw_column>, Int32) -> R
) -> R {
  // All names in one piece of memory, each ended by 0.
  var names: [CChar] = []
  var starts: [Int] = []
  for field in fields {
    starts.append(names.count)
    names.append(contentsOf: field.name.utf8.map { CChar(bitPattern: $0) })
    names.append(0)
  }
  return unsafe names.withUnsafeBufferPointer { text in
    var columns: [cw_column] = unsafe []
    for (index, field) in fields.enumerated() {
      unsafe columns.append(
        cw_column(
          name: text.baseAddress.map { unsafe $0 + starts[index] }, type: options[index].type(of: field),
          nullable: field.isNullable ? 1 : 0, encoding: options[index].encoding.number,
          content: options[index].content.number,
          bloom_distinct: Int64(options[index].bloomDistinctCount ?? 0),
          sort_rank: rank(of: field.name, in: sortedBy)))
    }
    // One more, so that there is an address even without columns.
    unsafe columns.append(cw_column())
    return unsafe columns.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { bug("an array with an element") }
      return unsafe body(base, Int32(fields.count))
    }
  }
}

extension ParquetColumnOptions {
  /// What the C side calls the type of such a column.
  fileprivate func type(of field: Field) -> Int32 {
    isMicroseconds ? Int32(CW_MICROSECONDS) : Int32(field.type.rawValue)
  }
}

/// 1 for the first sort column, 2 for the next; 0 for others.
private func rank(of name: String, in order: [String]) -> Int32 {
  order.firstIndex(of: name).map { Int32($0 + 1) } ?? 0
}
