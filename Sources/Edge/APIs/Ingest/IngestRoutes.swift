import Access
import Decoding
import Platform
import Records
import Routing

/// The ingest API: log entries by API key, masked, stored, and forwarded (Docs/ingest.md).
package struct IngestRoutes: APIRoutes {
  enum Route: String, CaseIterable {
    case ingest = "/v1/logs:ingest"
    case flush = "/v1/admin/flush"
    case status = "/v1/admin/status"
    case generate = "/v1/admin/tokens/generate"
    case maskingTest = "/v1/admin/masking:test"
    case deadLetters = "/v1/admin/deadletters"
    case replay = "/v1/admin/deadletters/replay"
    case drop = "/v1/admin/deadletters/drop"

    var method: RequestMethod {
      switch self {
      case .status, .deadLetters: .get
      case .ingest, .flush, .generate, .maskingTest, .replay, .drop: .post
      }
    }
  }

  let keys: IngestKeys
  let keyStore: KeyStore
  let native: KeyDirectory
  let log: any AccessLog
  let decoder: any IngestDecoding
  let pressure: IngestPressure
  let forwarding: any EntryForwarding
  let store: RecordStoring
  let control: any StoreControl
  let metrics: IngestMetrics
  let clock: any WallClock
  let entropy: any EntropySource
  let isFlushEnabled: Bool
  /// Of a body as it is sent and as it is decompressed.
  let bodyBytesMax: Int

  /// - Parameters:
  ///   - native: `/v1/admin/flush` belongs to the native API as well: its keys go there.
  ///   - bodyBytesMax: Larger than a batch may be, so that a batch that is too large is told as such.
  package init(
    keys: IngestKeys, keyStore: KeyStore, native: KeyDirectory, log: any AccessLog,
    decoder: any IngestDecoding, pressure: IngestPressure, forwarding: any EntryForwarding,
    store: RecordStoring, control: any StoreControl, metrics: IngestMetrics, clock: any WallClock,
    entropy: any EntropySource, isFlushEnabled: Bool, bodyBytesMax: Int
  ) {
    self.keys = keys
    self.keyStore = keyStore
    self.native = native
    self.log = log
    self.decoder = decoder
    self.pressure = pressure
    self.forwarding = forwarding
    self.store = store
    self.control = control
    self.metrics = metrics
    self.clock = clock
    self.entropy = entropy
    self.isFlushEnabled = isFlushEnabled
    self.bodyBytesMax = bodyBytesMax
  }

  /// Whether entries are sent to this path.
  static func isIngest(_ path: String) -> Bool { plain(path) == Route.ingest.rawValue }

  /// The path with its colon as it is.
  private static func plain(_ path: String) -> String {
    guard path.utf8.contains(UInt8(ascii: "%")) else { return path }
    return path.replacing("%3A", with: ":").replacing("%3a", with: ":")
  }

  package func admit(_ head: RequestHead, path: String, origin: RequestOrigin) -> Admission? {
    let isOurs = ["/v1/logs:", "/v1/logs%", "/v1/admin/"].contains { path.hasPrefix($0) }
    guard isOurs else { return nil }
    guard let route = Route(rawValue: IngestRoutes.plain(path)) else {
      return .refuse(Problem(404, "Not Found"), route: "unknown", errors: .ingest)
    }
    if route == .flush, isNative(head) { return nil }
    do throws(Problem) {
      guard head.method == route.method || head.method == .head && route.method == .get else {
        throw Problem(405, "Method Not Allowed", allow: [route.method].allowed)
      }
      let principal = try authenticate(head, origin, route)
      guard head.isPlain || route == .ingest && head.isGzip else {
        throw Problem(415, "The only Content-Encoding is gzip")
      }
      guard let principal else { return .accept(administration(route)) }
      return .accept(
        endpoint(route, bodyBytesMax, isShort: true) { call throws(Problem) in
          // A body of another type is text, and no entries.
          guard call.head.isJSON else { throw refused(principal, JSONForm.notAnObject) }
          return try await ingest(call, principal)
        }.limited(by: principal))
    } catch {
      return .refuse(error, route: route.rawValue, errors: .ingest)
    }
  }

  /// Whether a flush is asked of the native API: by one of its keys, or by anybody while this API has no administrator.
  private func isNative(_ head: RequestHead) -> Bool {
    let authorization = head.headers.first(name: "Authorization")
    if keys.knows(authorization: authorization) { return false }
    guard keys.hasAdministrator else { return true }
    guard let authorization else { return false }
    do throws(CredentialError) {
      _ = try native.authenticate(authorization: authorization)
      return true
    } catch {
      return false
    }
  }

  /// Whose entries they are; nil: the administrator.
  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    var event = AccessEvent(head, origin, realm: .ingest, route: route.rawValue)
    defer { log.record(event) }
    let authorization = head.headers.first(name: "Authorization")
    do throws(IngestCredentialError) {
      if route == .ingest {
        let principal = try keys.authenticate(authorization: authorization)
        event.subject = principal.subject
        event.tenant = principal.tenant
        return principal
      }
      try keys.authenticateAdministrator(authorization: authorization)
      event.subject = "administrator"
      return nil
    } catch {
      event.kind = .ingestKeyRefused
      event.outcome = .refused("\(error)")
      if route == .ingest { metrics.refused() }
      throw Problem(error)
    }
  }

  func endpoint(
    _ route: Route, _ bytesMax: Int, isShort: Bool = false,
    _ respond: @escaping @Sendable (HTTPCall) async throws(Problem) -> HTTPAnswer
  ) -> Endpoint {
    Endpoint(route: route.rawValue, bodyBytesMax: bytesMax, isShort: isShort, errors: .ingest) {
      (call, _) async throws(Problem) in
      .answer(try await respond(call))
    }
  }
}

extension Problem {
  init(_ error: IngestCredentialError) {
    switch error {
    case .missing: self.init(403, "Not authenticated")
    case .wrongScheme: self.init(403, "Invalid authentication credentials")
    case .unknown: self.init(401, "Invalid authentication token")
    case .inactive: self.init(401, "Authentication token is inactive")
    case .notAdministrator: self.init(401, "Admin token required for this operation")
    }
  }
}
