import Access
import Decoding
import Platform
import Querying
import Records
import Routing

/// What the server gives to every API: where records go, who answers questions, and what all have in common.
package struct APIServices: Sendable {
  package var store: RecordStoring
  package let engine: any QueryAnswering
  package let control: any StoreControl
  package let streams: LiveStreams
  package let log: any AccessLog
  package let clock: any WallClock
  package var limits = HTTPLimits()
  package var decodingLimits = DecodingLimits()
  /// What kinds of records there are: those that are given.
  package var registry = Registry([])

  /// The same limits as a server without a configuration has.
  package init(
    store: RecordStoring, engine: any QueryAnswering, control: any StoreControl, streams: LiveStreams,
    log: any AccessLog, clock: any WallClock
  ) {
    self.store = store
    self.engine = engine
    self.control = control
    self.streams = streams
    self.log = log
    self.clock = clock
  }
}
