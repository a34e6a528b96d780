import CArrow
import Records

/// An array that Arrow lent; given back when the last column over it goes.
@safe final class ImportedArray: @unchecked Sendable {
  // Safe because: the array is immutable once imported, and its release function may run on any thread.
  private var array: ArrowArray

  /// Memory the array may point into besides its own.
  private let source: Buffer?

  /// Takes `array` over.
  @unsafe init(_ array: ArrowArray, keeping source: Buffer? = nil) {
    unsafe self.array = array
    self.source = source
  }

  deinit { unsafe array.release?(&array) }

  /// The array as one column of `type`.
  func column(type: ColumnType) throws(ColumnarError) -> Column {
    try unsafe ImportedArray.column(array, type: type, owner: self)
  }

  /// An array of int32 as indices.
  func codes(valuesNeeded: Int) -> TextCodes {
    let rows = unsafe Int(array.length)
    let offset = unsafe Int(array.offset)
    let validity = unsafe ImportedArray.bits(
      ImportedArray.buffer(array, 0), from: offset, count: rows, owner: self, none: array.null_count == 0)
    let indices = unsafe ImportedArray.fixed(
      ImportedArray.buffer(array, 1), from: offset, count: rows, width: 4, owner: self)
    return TextCodes(indices: indices, validity: validity, rowCount: rows, valuesNeeded: valuesNeeded)
  }

  /// The children of a struct array as columns of the types of `fields`.
  func batch(fields: [Field]) throws(ColumnarError) -> RecordBatch {
    guard unsafe Int(array.n_children) == fields.count, unsafe array.offset == 0 else {
      throw .corrupt("a batch that does not fit its schema")
    }
    var columns: [Column] = []
    for (index, field) in fields.enumerated() {
      // Within bounds: there are as many children as fields.
      guard let child = unsafe array.children?[index] else { throw .corrupt("a batch without a column") }
      let column = try unsafe ImportedArray.column(child.pointee, type: field.type, owner: self)
      guard unsafe column.rowCount == Int(array.length) else { throw .corrupt("columns of unequal length") }
      columns.append(column)
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: unsafe Int(array.length))
  }

  /// Arrow's own arrays have the buffers of their type's layout, checked or made by Arrow; offsets into them
  /// are taken out so that row 0 is the first element.
  @unsafe private static func column(
    _ array: ArrowArray, type: ColumnType, owner: ImportedArray
  ) throws(ColumnarError) -> Column {
    let rows = unsafe Int(array.length)
    let offset = unsafe Int(array.offset)
    let validity = unsafe bits(
      buffer(array, 0), from: offset, count: rows, owner: owner, none: array.null_count == 0)
    let storage: Column.Storage
    if unsafe array.dictionary != nil, type.isText {
      guard let values = unsafe array.dictionary?.pointee else { throw .corrupt("no dictionary") }
      let indices = unsafe fixed(buffer(array, 1), from: offset, count: rows, width: 4, owner: owner)
      let text = unsafe text(values, owner: owner)
      storage = .dictionary(
        indices: indices, offsets: text.offsets, bytes: text.bytes, valueCount: unsafe Int(values.length))
    } else if type.isText {
      let text = unsafe text(array, owner: owner)
      storage = .text(offsets: text.offsets, bytes: text.bytes)
    } else if let width = type.fixedWidth {
      storage = .fixed(
        unsafe fixed(buffer(array, 1), from: offset, count: rows, width: width, owner: owner))
    } else {
      let values = unsafe bits(buffer(array, 1), from: offset, count: rows, owner: owner, none: false)
      storage = .fixed(values ?? .empty)
    }
    return Column(type: type, rowCount: rows, validity: validity, storage: storage)
  }

  @unsafe private static func buffer(_ array: ArrowArray, _ index: Int) -> UnsafeRawPointer? {
    guard unsafe index < Int(array.n_buffers) else { return nil }
    return unsafe array.buffers?[index]
  }

  @unsafe private static func fixed(
    _ start: UnsafeRawPointer?, from offset: Int, count: Int, width: Int, owner: ImportedArray
  ) -> Buffer {
    guard let start = unsafe start, count > 0 else { return .empty }
    return unsafe Buffer(start: start + offset * width, byteCount: count * width, owner: owner)
  }

  /// A bitmap; copied when it does not begin at a byte. nil for an absent one or when `none` is set.
  @unsafe private static func bits(
    _ start: UnsafeRawPointer?, from offset: Int, count: Int, owner: ImportedArray, none: Bool
  ) -> Buffer? {
    guard let start = unsafe start, !none else { return nil }
    let byteCount = (count + 7) / 8
    if offset % 8 == 0 {
      return unsafe Buffer(start: start + offset / 8, byteCount: byteCount, owner: owner)
    }
    var copy = [UInt8](repeating: 0, count: byteCount)
    for row in 0..<count {
      // Within bounds: the bitmap holds offset + count bits.
      let byte = unsafe start.load(fromByteOffset: (offset + row) >> 3, as: UInt8.self)
      if byte & (1 << UInt8((offset + row) & 7)) != 0 { copy[row >> 3] |= 1 << UInt8(row & 7) }
    }
    return Buffer(copying: copy)
  }

  /// Offsets from 0 and the bytes they cut.
  @unsafe private static func text(
    _ array: ArrowArray, owner: ImportedArray
  ) -> (offsets: Buffer, bytes: Buffer) {
    let rows = unsafe Int(array.length)
    guard rows > 0, let all = unsafe buffer(array, 1) else {
      return (Buffer(copying: [Int32(0)]), .empty)
    }
    // Within bounds: offset + length + 1 offsets, of which the last ends the bytes.
    let starts = unsafe all.assumingMemoryBound(to: Int32.self) + Int(array.offset)
    let first = unsafe Int(starts[0])
    let end = unsafe Int(starts[rows])
    var bytes = Buffer.empty
    if let text = unsafe buffer(array, 2), end > first {
      bytes = unsafe Buffer(start: text + first, byteCount: end - first, owner: owner)
    }
    if first == 0 {
      return (unsafe Buffer(start: starts, byteCount: (rows + 1) * 4, owner: owner), bytes)
    }
    var moved = [Int32](repeating: 0, count: rows + 1)
    for row in 0...rows { moved[row] = unsafe starts[row] - Int32(first) }
    return (Buffer(copying: moved), bytes)
  }
}
