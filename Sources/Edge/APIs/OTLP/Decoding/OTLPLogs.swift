import Codecs
import Decoding
import Masking
import Records

/// Turns exports of OpenTelemetry's logs (`ExportLogsServiceRequest`, OTLP 1) into a batch of the dataset
/// `logs`. Immutable: make one and keep it.
///
/// What the resource says goes into `labels`, what the record and its scope say into `metadata`; service,
/// environment, level, trace and span into the columns of these names.
package struct OTLPLogs: Sendable {
  /// How the body is written.
  package enum Form: Sendable {
    case json
    case protobuf
  }

  private let decoder: RecordDecoder

  /// - Parameter masking: What is hidden, for the dataset `logs`.
  package init(masking: MaskingPlan = .none, limits: DecodingLimits = DecodingLimits()) {
    decoder = RecordDecoder(schema: Dataset.logs.schema, masking: masking, limits: limits)
  }

  private init(_ decoder: RecordDecoder) { self.decoder = decoder }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> OTLPLogs { OTLPLogs(decoder.masked(by: plan)) }

  /// - Parameters:
  ///   - now: Of records without a time: nanoseconds since 1970.
  ///   - memory: What the records take as text, and an export in JSON as a tree, is taken of it meanwhile.
  /// - Throws: What is wrong with the export as a whole; bad records among good ones are left out and told.
  package func decode(
    _ body: [UInt8], _ form: Form, now: Int64, within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> PushedRecords {
    let limits = decoder.limits
    var lines = RecordLines(memory: memory, recordsMax: limits.entriesMax)
    do throws(PushFault) {
      switch form {
      case .json: try OTLPJSON(body, namesMax: limits.membersMax).read(into: &lines, within: memory)
      case .protobuf: try OTLPMessage(body, namesMax: limits.membersMax).read(into: &lines)
      }
      return try lines.decode(by: decoder, now: now)
    } catch {
      lines.giveBack()
      throw error
    }
  }
}
