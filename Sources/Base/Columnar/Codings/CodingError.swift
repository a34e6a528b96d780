/// Why a compressed body gives no bytes.
package enum CodingError: Error, Sendable, Hashable {
  /// The bytes are none of the coding, or a checksum is wrong. Says what the decoder met, never a byte of the
  /// body.
  case broken(String)
  /// The body ends before the stream does, or is empty.
  case truncated
  /// Something follows the end of the stream.
  case trailingBytes
  /// The body stands for more than the bound.
  case tooLarge(bytesMax: Int)
  /// The caller's budget gave nothing more; the same body may do later.
  case budgetUsedUp
  /// No memory for the decoder itself.
  case outOfMemory

  /// What a compression stream said.
  init(_ error: ColumnarError) {
    switch error {
    case .corrupt(let reason): self = .broken(reason)
    case .sink, .unsupported: self = .outOfMemory
    }
  }
}
