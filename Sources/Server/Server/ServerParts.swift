import Access
import AsyncHTTPClient
import Platform
import Routing

/// What APIs are made of: opened before them, in this order, and closed after them.
package struct ServerParts: Sendable {
  let configuration: Configuration
  let engine: Engine
  let access: AccessServices
  let log: any AccessLog
  let clock: any WallClock
  /// As configured, without a forwarder, unless another is given.
  var ingest: IngestServices
  /// What may be held for those who ask; the same that the engine was opened with.
  var memory: ServerMemory
  /// How fast callers may ask; nil: as they like.
  let rates: RequestRates?
  /// What the store tells of its background, for `/readyz`.
  var reports: StoreReports?
  /// For asking Loki whether it is ready.
  var client: HTTPClient = .shared

  /// Parts that forward nothing.
  package init(
    _ configuration: Configuration, engine: Engine, access: AccessServices, log: any AccessLog,
    clock: any WallClock
  ) {
    self.configuration = configuration
    self.engine = engine
    self.access = access
    self.log = log
    self.clock = clock
    rates = RequestRates(configuration.rates, clock: clock)
    memory = ServerMemory(configuration)
    ingest = IngestServices(
      configuration.ingest, store: access.keys, loki: nil, control: engine.control, clock: clock)
  }
}
