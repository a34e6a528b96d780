import CArrow
import Records

/// Why Apache Arrow refused.
package enum ColumnarError: Error, Sendable, Equatable {
  /// The bytes are not a file this version reads, or a checksum is wrong.
  case corrupt(String)
  /// The sink threw; its error is with whoever owns the sink.
  case sink
  case unsupported(String)
}

/// How a Parquet column is stored.
package struct ParquetColumnOptions: Sendable {
  package enum Encoding: Sendable {
    case plain, dictionary
    /// DELTA_BINARY_PACKED, for int64 and timestamps.
    case delta
    /// DELTA_BYTE_ARRAY, for ids that share prefixes.
    case deltaByteArray
  }
  package var encoding: Encoding
  /// Distinct values a row group's Bloom filter is sized for (1 % false positives); nil: no filter.
  package var bloomDistinctCount: Int?
  package init(encoding: Encoding, bloomDistinctCount: Int? = nil) {
    self.encoding = encoding
    self.bloomDistinctCount = bloomDistinctCount
  }
}
