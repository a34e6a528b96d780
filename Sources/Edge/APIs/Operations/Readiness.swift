import Codecs
import Platform
import Records
import Routing
import Synchronization

/// One thing the server needs to be ready, as `/readyz` tells of it.
package struct ReadinessCheck: Sendable {
  package let name: String
  package let isHealthy: Bool
  package let message: String
  /// A JSON object.
  package let details: [UInt8]
  /// When it was looked at, nanoseconds since 1970.
  package let checkedAt: Int64

  package init(_ name: String, isHealthy: Bool, message: String, details: [UInt8], checkedAt: Int64) {
    self.name = name
    self.isHealthy = isHealthy
    self.message = message
    self.details = details
    self.checkedAt = checkedAt
  }
}

/// What looks at the things the server needs.
package protocol ReadinessChecks: Sendable {
  /// All of them, in the order of the answer. Takes seconds at most, whatever is broken.
  func run() async -> [ReadinessCheck]
}

extension ReadinessCheck {
  func write(to text: inout JSONWriter) {
    text.beginObject()
    text.member("name", name)
    text.member("status", isHealthy ? "healthy" : "unhealthy")
    text.member("message", message)
    text.name("details")
    text.raw(details)
    text.time("last_check", checkedAt, zone: "")
    text.endObject()
  }
}
