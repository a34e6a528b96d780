/// How a batch gets to the server. Tests have one without a network.
protocol Transport: Sendable {
  /// Sends `body`, records of JSON a line each, as a request that a repeat with the same `key` does not
  /// store twice.
  ///
  /// - Throws: Whatever keeps an answer from coming: refused connections, broken ones, no answer in time.
  ///   The batch may be stored all the same, so it is sent again with the same key.
  func send(_ body: [UInt8], key: String) async throws -> TransportAnswer
}

/// What of a server's answer says what to do next.
struct TransportAnswer: Sendable, Hashable {
  /// HTTP's.
  let status: Int
  /// The field `Retry-After`, if it is a number; seconds.
  var retryAfterSeconds: Int?
  /// Records that the server took out of the batch because they are not fit to store.
  var rejectedCount = 0
}
