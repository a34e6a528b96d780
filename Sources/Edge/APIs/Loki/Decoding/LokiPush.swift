import Codecs
import Decoding
import Masking
import Records

/// Turns pushes of Loki's clients (`POST /loki/api/v1/push`) into a batch of the dataset `logs`. Immutable:
/// make one and keep it.
///
/// Labels go into `labels`, the entry's structured metadata into `metadata`, and what they say of service,
/// environment, level, trace and span into the columns of these names too.
package struct LokiPush: Sendable {
  /// How the body is written.
  package enum Form: Sendable {
    case json
    /// `logproto.PushRequest`, decompressed.
    case protobuf
  }

  private let decoder: RecordDecoder

  /// - Parameter masking: What is hidden, for the dataset `logs`.
  package init(masking: MaskingPlan = .none, limits: DecodingLimits = DecodingLimits()) {
    decoder = RecordDecoder(schema: Dataset.logs.schema, masking: masking, limits: limits)
  }

  private init(_ decoder: RecordDecoder) { self.decoder = decoder }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> LokiPush { LokiPush(decoder.masked(by: plan)) }

  /// - Parameter memory: What the entries take as records' text, labels repeated, is taken of it meanwhile.
  /// - Throws: What is wrong with the push as a whole; bad entries among good ones are left out and told.
  package func decode(
    _ body: [UInt8], _ form: Form, within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> PushedRecords {
    var records = LokiRecords(memory: memory, limits: decoder.limits)
    do throws(PushFault) {
      switch form {
      case .json: try LokiJSON(body).read(into: &records)
      case .protobuf: try LokiMessage(body).read(into: &records)
      }
      return try records.lines.decode(by: decoder, now: 0)
    } catch {
      records.lines.giveBack()
      throw error
    }
  }
}
