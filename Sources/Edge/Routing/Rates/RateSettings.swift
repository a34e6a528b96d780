/// How much one holder may ask for in a second; 0: as much as it likes.
package struct RateLimits: Sendable, Hashable {
  /// Requests with a credential.
  package var requests: Double
  /// Records that are stored.
  package var rows: Double
  /// Bytes of bodies as they are sent.
  package var bytes: Double

  package init(requests: Double = 0, rows: Double = 0, bytes: Double = 0) {
    self.requests = requests
    self.rows = rows
    self.bytes = bytes
  }

  /// In the order of ``RateUnit``.
  var perSecond: [Double] { [requests, rows, bytes] }
}

/// Settings below `limits.rates`.
package struct RateSettings: Sendable, Hashable {
  /// Of each tenant.
  package var tenant = RateLimits()
  /// Of each key, or user of a token.
  package var key = RateLimits()
  /// So many seconds' worth may come at once.
  package var burstSeconds = 10.0

  package init() {}
}

/// What is counted.
enum RateUnit: Int, CaseIterable {
  case requests, rows, bytes

  /// The unit of a quota in `RateLimit-Policy`; nil: the usual one.
  var quotaUnit: String? {
    switch self {
    case .requests: nil
    case .rows: "rows"
    case .bytes: "content-bytes"
    }
  }
}
