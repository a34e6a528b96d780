import Records

/// A column that a record's members are put into.
package struct ColumnSlot: Sendable {
  /// Name as UTF-8.
  package let name: [UInt8]
  /// What values become.
  package let type: ColumnType
  /// Whether a record may lack it or have it as null.
  package let isNullable: Bool
  /// For `utf8`.
  package var rule = TextRule.any
  /// For `json`: containers in containers, the object itself counted.
  package var depthMax = Int.max
  /// For `json`: `[]` means `{}`.
  package var takesEmptyArray = false
  /// For `json`: all members have one of these names and are texts of at most ``memberBytesMax`` bytes, as
  /// sent; objects in which something is masked break the rule, since it is of what was sent. nil: any.
  package var memberNames: [[UInt8]]?
  /// Goes with ``memberNames``.
  package var memberBytesMax = 0
  /// For `float64`: a number may be in quotes.
  package var takesQuotedNumber = false

  /// A column with no further rules.
  package init(name: String, type: ColumnType, isNullable: Bool) {
    self.name = Array(name.utf8)
    self.type = type
    self.isNullable = isNullable
  }
}

/// What a scan of records needs to know: plain tables, so that protocols and masking rules stay outside.
package struct ScanPlan: Sendable {
  /// At most 60 columns.
  package var slots: [ColumnSlot]
  /// Index of the `json` column that takes members no column is named after; nil: they are a fault.
  package var overflowSlot: Int?
  /// Names a record may not have.
  package var reserved: [String] = []
  /// What is hidden; nil: nothing.
  package var masking: (any ScanMasking)?
  /// The `json` column that tells of a record whose masking hit its bound; nil: none does.
  package var failureSlot: Int?
  /// Bytes of one record; beyond it the record has a fault.
  package var entryBytesMax = 1 << 20
  /// Members of one record; beyond it the record has a fault.
  package var membersMax = 1_000
  /// Bytes of one name as it is sent; beyond it the record has a fault.
  package var keyBytesMax = 1_024
  /// Containers in containers, the record itself counted.
  package var depthMax = 64
  /// Value of a `timestamp` column that a record lacks.
  package var now: Int64 = 0
  /// A record must be followed by a line end or the end of the text.
  package var needsLineEnd = false
  /// Members no column is named after are left out instead of being a fault, if there is no overflow column.
  package var dropsUnknown = false
  /// A bit a slot: a record must have the member, be it null.
  package var requiredSlots: UInt64 = 0
  /// A `timestamp` must be text: numbers, else taken by ``UnixTime``, and null are faults.
  package var takesTimestampAsTextOnly = false
  /// A `timestamp` may also be what else ``FlexibleTime`` takes.
  package var takesLooseTimestamp = false
  /// A record whose masking hit its bound has a fault, instead of becoming a row without content.
  package var refusesOverBound = false
  /// A name twice in one object, or beside the overflow object and in it, is a fault, instead of the last one
  /// winning. Names of members that are left out are not looked at.
  package var refusesRepeatedNames = false
  /// Bytes that will be scanned, as a hint for the first allocation.
  package var byteCountHint = 0

  /// A plan with the usual bounds, without masking.
  package init(slots: [ColumnSlot], overflowSlot: Int?) {
    self.slots = slots
    self.overflowSlot = overflowSlot
  }
}
