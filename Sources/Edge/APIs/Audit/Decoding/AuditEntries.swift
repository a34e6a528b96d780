import Decoding
import Records

extension EntryForm {
  /// Entries of the audit API.
  package static let audit = EntryForm(
    dataset: .audit,
    fields: [
      EntryField("action", .text(charactersMax: nil), isRequired: true, isNullable: false),
      EntryField("resource_type", .text(charactersMax: nil), isRequired: true, isNullable: false),
      EntryField("resource_id", .text(charactersMax: nil), isRequired: true, isNullable: false),
      EntryField("timestamp", .time(takesDates: true), isNullable: false),
      EntryField("ip_address", .text(charactersMax: nil)),
      EntryField("user_agent", .text(charactersMax: nil)),
      EntryField("before", .object), EntryField("after", .object), EntryField("metadata", .object),
      EntryField(
        "severity", .choice(["INFO", "WARNING", "ERROR", "CRITICAL"], hasOwnWords: false), isRequired: true,
        isNullable: false),
    ])
}
