import Codecs
import Encoding
import Querying
import Records
import Routing

/// The form an answer is wanted in.
package struct AnswerForm: Sendable, Hashable {
  /// JSON, CSV and so on.
  package let format: OutputFormat
  /// Whether cells that a spreadsheet would run as formulas are made text (`?safe=1`, of CSV).
  package let guardsCells: Bool

  package init(_ format: OutputFormat, guardsCells: Bool = false) {
    self.format = format
    self.guardsCells = guardsCells
  }

  /// `?format=` wins over `Accept`.
  ///
  /// - Throws: 400 for a format that there is not, 406 where `Accept` names none of ours.
  package init(wantedBy call: HTTPCall) throws(Problem) {
    self.init(try OutputFormat(wantedBy: call), guardsCells: call.query.flag("safe"))
  }

  /// - Throws: `.invalid`: the request asks for what the form has no place for.
  func check(_ request: QueryRequest) throws(StoreError) {
    guard request.wantsStatistics != true || format == .json || format == .ndjson else {
      throw .invalid("statistics: JSON and NDJSON alone have a place for them")
    }
  }

  /// The form's encoder for batches of `fields`.
  func encoder(
    fields: [Field], style: RecordStyle = RecordStyle(), remarks: AnswerRemarks = AnswerRemarks()
  ) throws(EncodingError) -> any BatchEncoder {
    var style = style
    style.guardsCells = guardsCells
    return try format.encoder(fields: fields, style: style, remarks: remarks)
  }
}

extension RouteParameter {
  /// `?safe=1`.
  static let safe = RouteParameter.query(
    "safe", JSONSchema.flag,
    "Of CSV: a text that a spreadsheet would run (at its start =, +, -, @, a tab, a return) gets a ' first"
  )
}
