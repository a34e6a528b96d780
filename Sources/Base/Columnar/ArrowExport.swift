import CArrow
import Records

/// A batch lent to Arrow through the C Data Interface without copying its buffers.
///
/// Arrow calls the release function of each struct once; every struct holds this object, so buffers and
/// structs stay as long as any of them is in use.
@safe final class ExportedBatch {
  private let columns: [Column]
  private let structs: UnsafeMutablePointer<ArrowArray>
  private let childPointers: UnsafeMutablePointer<UnsafeMutablePointer<ArrowArray>?>
  private let buffers: UnsafeMutablePointer<UnsafeRawPointer?>
  private let structCount: Int
  private let bufferCount: Int

  /// A struct and a dictionary struct a column, and at most six buffers for both.
  private init(_ columns: [Column]) {
    self.columns = columns
    structCount = columns.count * 2
    bufferCount = columns.count * 6 + 1
    unsafe structs = .allocate(capacity: max(structCount, 1))
    unsafe structs.initialize(repeating: ArrowArray(), count: structCount)
    unsafe childPointers = .allocate(capacity: max(columns.count, 1))
    unsafe childPointers.initialize(repeating: nil, count: columns.count)
    unsafe buffers = .allocate(capacity: bufferCount)
    unsafe buffers.initialize(repeating: nil, count: bufferCount)
  }

  deinit {
    unsafe structs.deallocate()
    unsafe childPointers.deallocate()
    unsafe buffers.deallocate()
  }

  /// A struct array with a child a column. Whoever takes it must call its release function.
  @unsafe static func export(_ columns: [Column], rowCount: Int) -> ArrowArray {
    let batch = ExportedBatch(columns)
    for index in columns.indices { unsafe batch.fillChild(index) }
    // The last buffer slot is the struct's absent validity.
    return unsafe batch.array(
      rowCount: rowCount, buffers: batch.buffers + (batch.bufferCount - 1), bufferCount: 1,
      children: batch.childPointers, childCount: columns.count, dictionary: nil)
  }

  @unsafe private func fillChild(_ index: Int) {
    let column = columns[index]
    // Within bounds: six slots, two structs and one pointer were made for each column.
    let slots = unsafe buffers + index * 6
    let child = unsafe structs + index * 2
    unsafe slots[0] = ExportedBatch.address(column.validity)
    var bufferCount = 2
    var dictionary: UnsafeMutablePointer<ArrowArray>? = nil
    switch column.storage {
    case .fixed(let values):
      unsafe slots[1] = ExportedBatch.address(values)
    case .text(let offsets, let bytes):
      unsafe slots[1] = ExportedBatch.address(offsets)
      unsafe slots[2] = ExportedBatch.address(bytes)
      bufferCount = 3
    case .dictionary(let indices, let offsets, let bytes, let valueCount):
      unsafe slots[1] = ExportedBatch.address(indices)
      unsafe slots[4] = ExportedBatch.address(offsets)
      unsafe slots[5] = ExportedBatch.address(bytes)
      unsafe child[1] = array(
        rowCount: valueCount, buffers: slots + 3, bufferCount: 3, children: nil, childCount: 0,
        dictionary: nil)
      unsafe dictionary = child + 1
    }
    unsafe child[0] = array(
      rowCount: column.rowCount, buffers: slots, bufferCount: bufferCount, children: nil, childCount: 0,
      dictionary: dictionary)
    unsafe childPointers[index] = child
  }

  @unsafe private func array(
    rowCount: Int, buffers: UnsafeMutablePointer<UnsafeRawPointer?>, bufferCount: Int,
    children: UnsafeMutablePointer<UnsafeMutablePointer<ArrowArray>?>?, childCount: Int,
    dictionary: UnsafeMutablePointer<ArrowArray>?
  ) -> ArrowArray {
    unsafe ArrowArray(
      length: Int64(rowCount), null_count: -1, offset: 0, n_buffers: Int64(bufferCount),
      n_children: Int64(childCount), buffers: buffers, children: children, dictionary: dictionary,
      release: ExportedBatch.release, private_data: Unmanaged.passRetained(self).toOpaque())
  }

  /// Releases what is below the struct and was not moved away, then the struct's own hold.
  private static let release: @convention(c) (UnsafeMutablePointer<ArrowArray>?) -> Void = { array in
    guard let array = unsafe array, unsafe array.pointee.release != nil else { return }
    let childCount = unsafe Int(array.pointee.n_children)
    for index in 0..<childCount {
      // Within bounds: n_children pointers were filled in.
      if let child = unsafe array.pointee.children?[index] { unsafe child.pointee.release?(child) }
    }
    if let dictionary = unsafe array.pointee.dictionary {
      unsafe dictionary.pointee.release?(dictionary)
    }
    unsafe array.pointee.release = nil
    if let held = unsafe array.pointee.private_data {
      unsafe Unmanaged<ExportedBatch>.fromOpaque(held).release()
    }
  }

  @unsafe private static func address(_ buffer: Buffer?) -> UnsafeRawPointer? {
    guard let buffer else { return nil }
    // Stays valid: the column, and with it the buffer's owner, is held by the batch.
    return unsafe buffer.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in bytes.baseAddress }
  }
}
