extension [UInt8] {
  /// Appends a copy of `bytes`.
  package mutating func append(copying bytes: Span<UInt8>) {
    unsafe bytes.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
  }
}

extension String {
  /// The text that `bytes` are in UTF-8, U+FFFD where they are none, and for NUL.
  package init(repairing bytes: Span<UInt8>) {
    let text = unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    self = bytes.isWithoutNUL ? text : text.withoutNUL
  }
}
