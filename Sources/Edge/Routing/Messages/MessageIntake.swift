import Decoding
import Records

/// What messages of a listener are, and how they lie in a stream.
package enum MessageForm: String, Sendable, Hashable, CaseIterable {
  /// Lines, or counted bytes (RFC 6587).
  case syslog
  /// JSON, a NUL behind each.
  case gelf = "GELF"
  /// Values of MessagePack, as Fluentd and Fluent Bit send them.
  case forward = "Fluent forward"
}

/// What became of a batch of messages.
package enum IntakeOutcome: Sendable, Hashable {
  /// It is on the disk, or cannot be stored by any repeat; what was left out of it is counted. On a stream
  /// these bytes are sent back.
  case done(answer: [UInt8])
  /// Of its records only the first so many are stored, see ``MessageBatch/storedCount``; after so many
  /// seconds the others may be.
  case later(seconds: Double, reason: String, storedCount: Int = 0)
}

/// Takes messages that come by listeners without requests.
package protocol MessageIntake: Sendable {
  /// What the messages are.
  var form: MessageForm { get }
  /// In bytes: longer messages are cut, or end their stream where a part of one means nothing.
  var messageBytesMax: Int { get }
  /// Messages of a batch, at most.
  var batchMessagesMax: Int { get }
  /// Whose records they become.
  var tenant: Tenant { get }
  /// Stores a batch, and returns once it is on the disk.
  func store(_ batch: MessageBatch) async -> IntakeOutcome
}
