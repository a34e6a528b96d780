import Codecs
import Decoding
import Masking
import Records
import Shaping

/// Turns logs as Datadog's clients send them (`POST /api/v2/logs`) into a batch of the dataset `logs`
/// (Docs/datadog.md). Immutable: make one and keep it.
package struct DatadogLogs: Sendable {
  /// What the request says of logs that say it not themselves.
  package struct Origin: Sendable, Hashable {
    package var source: String?
    package var host: String?
    package var service: String?
    /// Beside the log's own: `env:prod,team:shop`.
    package var tags: String?

    /// Nothing.
    package init() {}
  }

  /// What a body held.
  package struct Decoded: Sendable {
    package let records: PushedRecords
    /// Logs whose time cannot be read, and stays in their metadata.
    package let timesUnreadCount: Int
  }

  private var decoder: RecordDecoder
  private var shape = RecordShape(levels: ["status"])

  /// - Parameter masking: What is hidden, for the dataset `logs`.
  package init(masking: MaskingPlan = .none, limits: DecodingLimits = DecodingLimits()) {
    decoder = RecordDecoder(schema: Dataset.logs.schema, masking: masking, limits: limits)
  }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> DatadogLogs {
    var other = self
    other.decoder = decoder.masked(by: plan)
    return other
  }

  /// The same where the mapping's names give columns first.
  package func mapped(by mapping: FieldMapping) -> DatadogLogs {
    var other = self
    other.shape = shape.mapped(by: mapping)
    return other
  }

  /// Logs as objects, in a list or one alone. An empty object says nothing: clients ask so whether anybody is
  /// there.
  ///
  /// - Parameters:
  ///   - now: Of logs without a time: nanoseconds since 1970.
  ///   - memory: What the logs take as records is taken of it meanwhile.
  /// - Throws: It is no such body as a whole. Bad logs among good ones are left out and told.
  package func decode(
    _ body: [UInt8], _ origin: Origin, now: Int64, within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> Decoded {
    let limits = decoder.limits
    var lines = RecordLines(memory: memory, recordsMax: limits.entriesMax)
    var reading = DatadogReading(
      JSONRepair.repaired(body), origin, times: LogTime(now: now), shape: shape, tagsMax: limits.membersMax)
    do throws(PushFault) {
      try reading.read(into: &lines)
      return Decoded(
        records: try lines.decode(by: decoder, now: now), timesUnreadCount: reading.timesUnreadCount)
    } catch {
      lines.giveBack()
      throw error
    }
  }
}
