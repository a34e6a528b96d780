import Querying

/// Zones of the IANA database by name: this module has no calendar of its own.
package struct TimeZones: Sendable {
  /// The clock of a zone between the years 1677 and 2262; nil: there is no such zone.
  let offsets: @Sendable (String) -> UTCOffsets?

  package init(_ offsets: @escaping @Sendable (String) -> UTCOffsets?) { self.offsets = offsets }

  static let none = TimeZones { _ in nil }
}
