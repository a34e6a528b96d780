import Records

/// What a request wants to be stored.
package struct RecordWrite: Sendable {
  let batch: RecordBatch
  let dataset: Dataset
  /// Of the decompressed body, for metrics.
  let bodyBytes: Int
  /// Stands for what decides besides the body what is stored: a repeated `Idempotency-Key` must have the
  /// same.
  let salt: UInt64
  /// What the answer to a repeated request needs beside the receipt: comes back in it.
  let kept: [UInt8]

  package init(
    _ batch: RecordBatch, _ dataset: Dataset, bodyBytes: Int, salt: UInt64, kept: [UInt8] = []
  ) {
    self.batch = batch
    self.dataset = dataset
    self.bodyBytes = bodyBytes
    self.salt = salt
    self.kept = kept
  }
}

/// The time a request came at, kept for its repeats.
enum KeptTime {
  /// - Parameter time: Nanoseconds since 1970.
  static func bytes(of time: Int64) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: time >> Int64(8 * $0)) }
  }

  /// nil: nothing was kept, by a version that needed nothing.
  static func time(of bytes: [UInt8]) -> Int64? {
    guard bytes.count == 8 else { return nil }
    return bytes.enumerated().reduce(0) { $0 | Int64($1.element) << Int64(8 * $1.offset) }
  }
}
