import Codecs
import Masking
import Records

/// How a body holds its records.
package enum BodyFormat: Sendable, Hashable {
  /// By the first character: `[` means ``json``, anything else ``lines``.
  case detect
  /// NDJSON: one object a line. White space inside an object may hold line ends, so one pretty-printed object passes too.
  case lines
  /// One JSON document: an array of objects, or one object.
  case json
}

/// What happens to the good entries of a body that has bad ones.
package enum ErrorMode: Sendable, Hashable {
  /// The first error refuses the whole body.
  case reject
  /// Bad entries are left out; up to `errorsMax` of them are listed. A broken array ends at its first syntax error.
  case skip(errorsMax: Int)
}

/// Bounds of what one request may hold.
package struct DecodingLimits: Sendable, Hashable {
  package var entriesMax = 100_000
  package var entryBytesMax = 1 << 20
  package var membersMax = 1_000
  package var keyBytesMax = 1_024
  /// Containers in containers, the record itself counted.
  package var depthMax = 64

  package init() {}
}

/// What a body held.
package struct DecodedBody: Sendable {
  /// ``DatasetSchema/declaredFields``, a row an accepted entry, in the body's order; nil when none was accepted.
  package let batch: RecordBatch?
  package let acceptedCount: Int
  package let rejectedCount: Int
  /// The first errors in the body's order, one a rejected entry. Empty with ``ErrorMode/reject``.
  package let errors: [DecodingError]

  package init(batch: RecordBatch?, acceptedCount: Int, rejectedCount: Int, errors: [DecodingError]) {
    self.batch = batch
    self.acceptedCount = acceptedCount
    self.rejectedCount = rejectedCount
    self.errors = errors
  }
}

/// Turns request bodies into batches of one dataset. Make one for each dataset and keep it: it is immutable.
package struct RecordDecoder: Sendable {
  package let schema: DatasetSchema
  package let masking: MaskingPlan
  package let limits: DecodingLimits

  package init(schema: DatasetSchema, masking: MaskingPlan, limits: DecodingLimits = DecodingLimits()) {
    self.schema = schema
    self.masking = masking
    self.limits = limits
  }

  /// Decodes a whole body (not compressed).
  ///
  /// - Parameter now: The `timestamp` of entries without one, in nanoseconds since 1970.
  /// - Throws: With ``ErrorMode/reject`` the first fault. With ``ErrorMode/skip(errorsMax:)`` only what concerns the body
  ///   as a whole: no entry at all, too many entries.
  package func decode(
    _ body: [UInt8], format: BodyFormat = .detect, onError: ErrorMode = .reject, now: Int64
  ) throws(DecodingError) -> DecodedBody {
    throw DecodingError(entry: nil, byte: 0, field: nil, reason: .empty)
  }
}
