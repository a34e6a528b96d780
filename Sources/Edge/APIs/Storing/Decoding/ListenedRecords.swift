import Decoding

/// What messages of a listener came to.
package struct ListenedRecords: Sendable {
  package let records: PushedRecords
  /// Records whose time cannot be read: they have the time they came at.
  package let timesUnreadCount: Int

  package init(records: PushedRecords, timesUnreadCount: Int) {
    self.records = records
    self.timesUnreadCount = timesUnreadCount
  }
}
