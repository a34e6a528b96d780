import Decoding
import Records

extension EntryForm {
  /// Entries of the workflow API. Lengths are those of its tables.
  package static let workflow = EntryForm(
    dataset: .workflows,
    fields: [
      EntryField(
        "environment", .choice(["production", "staging", "development"], hasOwnWords: true), isRequired: true,
        isNullable: false),
      EntryField("workflow_version", .text(charactersMax: 50)),
      EntryField("ticket_id", .text(charactersMax: 255)),
      EntryField(
        "executed_at", column: "timestamp", .time(takesDates: false), isRequired: true, isNullable: false),
      EntryField("execution_time_seconds", .number),
      EntryField("status", .choice(["SUCCESS", "ERROR", "PARTIAL", "FAILED"], hasOwnWords: true)),
      EntryField("category", .text(charactersMax: 100)),
      EntryField("resolution_status", .text(charactersMax: 100)), EntryField("metrics", .object),
      EntryField("payload", .object),
    ], overflow: "payload")
}
