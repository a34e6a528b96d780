import Records

/// A body for `POST /loki/api/v1/push` and the headers it must go with.
package struct PushRequest: Sendable {
  /// Whose entries they are, for a transport that sends tenants to tenants of Loki (`X-Scope-OrgID`).
  package let tenant: Tenant
  /// As it is sent.
  package let body: [UInt8]
  /// `application/x-protobuf` or `application/json`.
  package let contentType: String
  /// `gzip`, or nil: no such header. The snappy of protobuf is part of its content type.
  package let contentEncoding: String?
  /// How many entries the body holds, at least 1.
  package let entryCount: Int

  /// A push as it is sent.
  package init(
    tenant: Tenant, body: [UInt8], contentType: String, contentEncoding: String?, entryCount: Int
  ) {
    self.tenant = tenant
    self.body = body
    self.contentType = contentType
    self.contentEncoding = contentEncoding
    self.entryCount = entryCount
  }
}

/// Why there is no answer. What Loki did with the entries is not known but for `connect`: they are sent
/// again.
package enum PushFailure: String, Sendable, Hashable, CaseIterable {
  /// No connection: refused, unreachable, unknown name, TLS.
  case connect
  /// The transport's time for one request ran out.
  case timeout
  /// The connection ended before a whole answer was there.
  case cut
  /// The answer was not HTTP.
  case garbage
  /// The server is stopping.
  case cancelled
}

/// What came of a push.
package enum PushOutcome: Sendable, Hashable {
  /// A whole answer.
  /// - Parameters:
  ///   - retryAfter: The header `Retry-After` as it came.
  ///   - text: The start of the body, at most ``textBytesMax`` bytes of it. Never logged or stored: Loki
  ///     quotes entries.
  case answered(status: Int, retryAfter: String?, text: String)
  case failed(PushFailure)

  /// Bytes of an answer that are looked at.
  package static let textBytesMax = 4096
}

/// Sends pushes to a Loki. Must bound the time of a request, return once its task is cancelled, and read
/// the body of an answer to its end or close the connection.
package protocol LokiTransport: Sendable {
  func push(_ request: PushRequest) async -> PushOutcome
}
