import CArrow

/// Why Apache Arrow refused.
package enum ColumnarError: Error, Sendable, Equatable {
  /// The bytes are not what this version reads or a checksum is wrong. Retrying cannot help.
  case corrupt(String)
  /// The sink refused bytes; why is with whoever owns the sink. What was written so far is worthless.
  case sink
  /// Sound, but not ours to read or write (a foreign type, a nested column), or memory ran out.
  case unsupported(String)

  /// What the C side said.
  init(_ error: cw_error) {
    let message = unsafe withUnsafeBytes(of: error.message) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    switch error.kind {
    case 1: self = .corrupt(message)
    case 2: self = .sink
    default: self = .unsupported(message)
    }
  }
}

/// Runs a call of the C side and throws what it reports.
func calling(_ body: (inout cw_error) -> Int32) throws(ColumnarError) {
  var error = cw_error()
  if body(&error) != 0 { throw ColumnarError(error) }
}
