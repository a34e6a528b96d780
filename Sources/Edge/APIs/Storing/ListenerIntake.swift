import Access
import Decoding
import Records
import Routing

/// Where one listener's messages go: to a way in that all listeners of a form share.
struct ListenerIntake: MessageIntake {
  let form: MessageForm
  let tenant: Tenant
  let messageBytesMax: Int
  let batchMessagesMax: Int
  private let take: @Sendable (MessageBatch, Principal) async -> IntakeOutcome

  /// However many a request may have.
  private static let messagesMax = 20_000

  /// - Parameter entriesMax: Of a request.
  init(
    _ form: MessageForm, tenant: Tenant, messageBytesMax: Int, entriesMax: Int,
    take: @escaping @Sendable (MessageBatch, Principal) async -> IntakeOutcome
  ) {
    self.form = form
    self.tenant = tenant
    self.messageBytesMax = messageBytesMax
    batchMessagesMax = min(entriesMax, ListenerIntake.messagesMax)
    self.take = take
  }

  func store(_ batch: MessageBatch) async -> IntakeOutcome {
    await take(batch, Principal(tenant: tenant, subject: form.rawValue, role: .writer, credential: 0))
  }
}
