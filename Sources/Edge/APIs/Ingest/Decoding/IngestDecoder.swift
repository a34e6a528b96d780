import Codecs
import Decoding
import Masking
import Records

/// Bounds of a body of the ingest API.
package struct IngestLimits: Sendable, Hashable {
  package var entriesMax = 500
  /// Bytes of one entry as it was sent, from brace to brace.
  package var entryBytesMax = 32 << 10
  /// Bytes of all entries of a body.
  package var batchBytesMax = 1 << 20
  /// Members of one object.
  package var membersMax = 1_000
  package var keyBytesMax = 1_024

  package init() {}
}

/// What a body of the ingest API held.
package struct IngestBatch: Sendable {
  /// ``DatasetSchema/declaredFields`` of the dataset `logs`, a row an entry, in the body's order, masked.
  package let records: RecordBatch
  /// The body's own `idempotency_key`.
  package let idempotencyKey: String?
  /// What was hidden, by rule; rules that hid nothing are left out.
  package let maskedCounts: [MaskedCount]
  /// Entries whose content was given up because masking hit its bound.
  package let maskingFailedCount: Int

  package var entryCount: Int { records.rowCount }

  package init(
    records: RecordBatch, idempotencyKey: String?, maskedCounts: [MaskedCount], maskingFailedCount: Int
  ) {
    self.records = records
    self.idempotencyKey = idempotencyKey
    self.maskedCounts = maskedCounts
    self.maskingFailedCount = maskingFailedCount
  }
}

/// Turns bodies of the ingest API, `{"entries":[…],"idempotency_key"?:…}`, into a batch of the dataset
/// `logs`, or into everything that is wrong with them. Immutable: make one and keep it.
///
/// One pass over the body, entry by entry: plain entries go straight into columns, of any other a tree is
/// built, for which memory is taken first, and let go before the next one (``IngestTree``). That is slower,
/// finds every fault, and takes the rarer forms. Both give the same row.
package struct IngestDecoder: Sendable {
  package let limits: IngestLimits

  package init(limits: IngestLimits = IngestLimits()) { self.limits = limits }

  /// Rules of the fields (CONTRACTS of the API): characters are Unicode scalars.
  static let levels = ["DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
  static let messageCharactersMax = 8_192
  static let serviceCharactersMax = 64
  static let envCharactersMax = 32
  static let traceCharactersMax = 128
  static let spanCharactersMax = 64
  static let labelKeys = ["service", "env", "level", "schema_version", "region", "tenant"]
  static let labelCharactersMax = 64
  static let metadataDepthMax = 5
  static let idempotencyKeyCharactersMax = 128
  /// Bodies are read whole; what is neither entry nor key may add so much.
  static let otherBytesMax = 1 << 20

  /// All entries, or none and the reasons. A name twice in one object is a fault; what else entries have is
  /// left out, of the body it is a fault; `[]` for `labels` and `metadata` means `{}`. Rules hold for
  /// what was sent, before masking.
  ///
  /// - Parameter masking: What is hidden, for the dataset `logs` and this caller.
  package func decode(
    _ body: [UInt8], masking: MaskingPlan, within memory: DecodingMemory = .unbounded
  ) throws(ValidationFailure) -> IngestBatch {
    var pass = IngestPass(limits, masking: masking, body, memory: memory)
    return try pass.run()
  }

  /// The quick way alone; nil: the body has a fault or a rare form.
  package func scan(_ body: [UInt8], masking: MaskingPlan) -> IngestBatch? {
    var pass = IngestPass(limits, masking: masking, body, memory: .exhausted)
    // Nothing else can be wrong than what the thorough way would tell.
    do throws(ValidationFailure) { return try pass.run() } catch { return nil }
  }

  /// The thorough way alone.
  package func readTree(_ body: [UInt8], masking: MaskingPlan) throws(ValidationFailure) -> IngestBatch {
    var pass = IngestPass(limits, masking: masking, body, memory: .unbounded, hasShortcut: false)
    return try pass.run()
  }
}
