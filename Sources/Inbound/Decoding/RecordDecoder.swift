import Codecs
import Masking
import Records

/// How a body holds its records.
package enum BodyFormat: Sendable, Hashable {
  /// By the first character: `[` means ``json``, anything else ``lines``.
  case detect
  /// NDJSON: one object a line. White space inside an object may hold line ends, so one pretty-printed
  /// object passes too.
  case lines
  /// One JSON document: an array of objects, or one object.
  case json
}

/// What happens to the good entries of a body that has bad ones.
package enum ErrorMode: Sendable, Hashable {
  /// The first error refuses the whole body.
  case reject
  /// Bad entries are left out; up to `errorsMax` of them are listed. A broken array ends at its first
  /// syntax error.
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
  /// ``DatasetSchema/declaredFields``, a row an accepted entry, in the body's order; nil when none was
  /// accepted.
  package let batch: RecordBatch?
  package let acceptedCount: Int
  package let rejectedCount: Int
  /// The first errors in the body's order, one a rejected entry. Empty with ``ErrorMode/reject``.
  package let errors: [DecodingError]
  /// What was hidden in the accepted entries, by rule; rules that hid nothing are left out.
  package let maskedCounts: [MaskedCount]
  /// Accepted entries whose content was given up because masking hit its bound.
  package let maskingFailedCount: Int

  package init(
    batch: RecordBatch?, acceptedCount: Int, rejectedCount: Int, errors: [DecodingError],
    maskedCounts: [MaskedCount] = [], maskingFailedCount: Int = 0
  ) {
    self.batch = batch
    self.maskedCounts = maskedCounts
    self.maskingFailedCount = maskingFailedCount
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
  /// What all bodies have in common.
  private let basis: ScanPlan

  package init(schema: DatasetSchema, masking: MaskingPlan, limits: DecodingLimits = DecodingLimits()) {
    self.schema = schema
    self.masking = masking
    self.limits = limits
    let fields = schema.declaredFields
    var plan = ScanPlan(
      slots: fields.map { ColumnSlot(name: $0.name, type: $0.type, isNullable: $0.isNullable) },
      overflowSlot: schema.overflowColumn.flatMap { name in fields.firstIndex { $0.name == name } })
    plan.reserved = DatasetSchema.commonFields.map(\.name).filter { $0 != "timestamp" }
    plan.mask(masking)
    plan.bound(limits)
    plan.refusesRepeatedNames = true
    basis = plan
  }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> RecordDecoder {
    RecordDecoder(schema: schema, masking: plan, limits: limits)
  }

  /// The largest body a call takes: text columns have 32-bit offsets, and masks may make values longer.
  package static let bodyBytesMax = 256 << 20

  /// Decodes a whole body (not compressed).
  ///
  /// `timestamp` may be an RFC 3339 string or a number since 1970 (`UnixTime`); without one, or with null, it
  /// is `now`. Members that no column is named after go into the schema's overflow object. A name twice in
  /// one object, or in the overflow object and beside it, is a fault.
  ///
  /// - Parameter now: Nanoseconds since 1970.
  /// - Throws: With ``ErrorMode/reject`` the first fault. With ``ErrorMode/skip(errorsMax:)`` only what
  ///   concerns the body as a whole: no entry at all, too many entries, no JSON document.
  package func decode(
    _ body: Span<UInt8>, format: BodyFormat = .detect, onError: ErrorMode = .reject, now: Int64
  ) throws(DecodingError) -> DecodedBody {
    guard body.count <= RecordDecoder.bodyBytesMax else {
      throw DecodingError(
        entry: nil, byte: RecordDecoder.bodyBytesMax, field: nil,
        reason: .bodyTooLarge(bytesMax: RecordDecoder.bodyBytesMax))
    }
    let start = try RecordDecoder.afterByteOrderMark(body)
    let first = JSONScanner.skipSpace(body, from: start)
    let isLines =
      switch format {
      case .lines: true
      case .json: false
      case .detect: !(first < body.count && body[first] == UInt8(ascii: "["))
      }
    var scan = BodyScan(
      plan(body.count, now: now, isLines: isLines), fields: schema.declaredFields, limits: limits,
      mode: onError)
    if isLines {
      try scan.scanLines(body, from: first)
    } else {
      try scan.scanDocument(body, from: first)
    }
    return scan.finish(masking)
  }

  /// As ``decode(_:format:onError:now:)-(Span,_,_,_)``.
  package func decode(
    _ body: [UInt8], format: BodyFormat = .detect, onError: ErrorMode = .reject, now: Int64
  ) throws(DecodingError) -> DecodedBody {
    try decode(body.span, format: format, onError: onError, now: now)
  }

  private func plan(_ byteCount: Int, now: Int64, isLines: Bool) -> ScanPlan {
    var plan = basis
    plan.now = now
    plan.needsLineEnd = isLines
    plan.byteCountHint = byteCount
    return plan
  }

  /// 3 behind a UTF-8 byte order mark, else 0. Other encodings are told apart by their first bytes.
  static func afterByteOrderMark(_ body: Span<UInt8>) throws(DecodingError) -> Int {
    guard body.count >= 2 else { return 0 }
    if body.count >= 3, body[0] == 0xEF, body[1] == 0xBB, body[2] == 0xBF { return 3 }
    let isUTF16 = (body[0] == 0xFF && body[1] == 0xFE) || (body[0] == 0xFE && body[1] == 0xFF)
    if isUTF16 { throw DecodingError(entry: nil, byte: 0, field: nil, reason: .notUTF8Encoding) }
    return 0
  }
}
