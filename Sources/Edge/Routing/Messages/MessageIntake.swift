import Decoding
import Records

/// What became of a batch of messages.
package enum IntakeOutcome: Sendable, Hashable {
  /// It is on the disk, or cannot be stored by any repeat; what was left out of it is counted.
  case done
  /// Nothing of it is stored, and after so many seconds it may be.
  case later(seconds: Double, reason: String)
}

/// Takes messages that come by listeners without requests and answers.
package protocol MessageIntake: Sendable {
  /// Longer messages are cut, in bytes.
  var messageBytesMax: Int { get }
  /// Messages of a batch, at most.
  var batchMessagesMax: Int { get }
  /// Whose records they become.
  var tenant: Tenant { get }
  /// Stores a batch, and returns once it is on the disk.
  func store(_ batch: MessageBatch) async -> IntakeOutcome
}
