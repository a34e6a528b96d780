import Matching
import Records

/// What a page shows of records before it shows any: how many there are, when, and what values their fields
/// have.
package struct SummaryRequest: Sendable {
  /// A condition on one field, which that field's own values are counted without.
  package struct FieldFilter: Sendable {
    /// The field that it is of.
    package let path: ColumnPath
    /// Which rows pass.
    package let condition: Predicate

    /// A condition, unchecked.
    package init(_ path: ColumnPath, _ condition: Predicate) {
      self.path = path
      self.condition = condition
    }
  }

  /// Whose records.
  package var dataset: Dataset
  /// Nanoseconds since 1970: start included, end not; nil: no bound.
  package var start: Int64?
  /// Not included.
  package var end: Int64?
  /// Which records, besides what the filters say.
  package var predicate: Predicate
  /// At most one a field.
  package var filters: [FieldFilter] = []
  /// How time is cut into bars; nil: there are none.
  package var bucket: TimeBucket?
  /// What bars are divided by; nil: not.
  package var by: ColumnPath?
  /// Fields whose values are counted: text columns, columns of numbers, members of objects.
  package var fields: [ColumnPath] = []
  /// Whether numbers of the fields are gathered too.
  package var gathersNumbers = true
  /// Values given of each field, the most frequent ones.
  package var valueCount = 10
  /// Whether a damaged or missing file is an error.
  package var isStrict = false

  /// Fields of one request.
  package static let fieldsMax = 32
  /// Values of a field.
  package static let valuesMax = 1_000
  /// Values that a bar is divided into; what others have is in its count alone.
  package static let dividedMax = 32
  /// Bars of an answer.
  package static let barsMax = 2_000

  /// A summary of all records, without bars and fields.
  package init(dataset: Dataset, predicate: Predicate = .all, start: Int64? = nil, end: Int64? = nil) {
    self.dataset = dataset
    self.predicate = predicate
    self.start = start
    self.end = end
  }

  /// Which rows are looked at for the bars, the total, and fields without a filter (nil), or for the field
  /// `path`.
  func predicate(without path: ColumnPath?) -> Predicate {
    filters.reduce(predicate) { all, filter in
      filter.path == path ? all : .both(all, filter.condition)
    }
  }
}

/// A summary, or as much of it as is computed.
package struct SummaryAnswer: Sendable {
  /// A value and how many rows have it; nil: they have none.
  package struct Count: Sendable {
    /// As groups have it: a text as it is, a number in one spelling, other values as JSON.
    package let value: String?
    /// Rows.
    package let count: Int
  }

  /// The rows of one bucket of time.
  package struct Bar: Sendable {
    /// Its beginning, nanoseconds since 1970.
    package let start: Int64
    /// All its rows.
    package var count: Int
    /// By value, the most frequent first; empty where bars are not divided.
    package var divided: [Count]
  }

  /// Numbers among a field's values.
  package struct Numbers: Sendable {
    /// JSON numbers: the least, the median, the 95th of 100, the greatest.
    package let least: String
    package let median: String
    package let p95: String
    package let greatest: String
  }

  /// What one field has.
  package struct Field: Sendable {
    package let path: ColumnPath
    /// The most frequent values, the most frequent first, equal ones by their bytes.
    package let values: [Count]
    /// Different values; an estimate where not ``isExact``.
    package let distinct: Int
    /// Rows without a value.
    package let missing: Int
    /// Whether all values were counted. Else each count may be too small by ``errorBound``, and what has no
    /// more rows than that may be missing.
    package let isExact: Bool
    package let errorBound: Int
    /// nil: none of its values is a number, or nobody asked.
    package var numbers: Numbers?
  }

  /// Rows that pass everything.
  package var total = 0
  /// Those that have rows, in the order of time.
  package var bars: [Bar] = []
  /// In the order asked.
  package var fields: [Field] = []
  /// How much of the rows is looked at: 0 to 1.
  package var share = 1.0
  /// What was looked at so far, and how long was worked; nil: it is not told.
  package var statistics: AnswerStatistics?
}
