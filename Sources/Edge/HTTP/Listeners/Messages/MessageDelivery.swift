import Decoding
import Logging
import NIOCore
import Routing

/// Hands batches of one connection, or one socket, to the intake, one after the other, each as often as it
/// takes; and holds memory for what waits. On one event loop.
final class MessageDelivery: @unchecked Sendable {
  // Safe because: all state is touched on the event loop only; tasks hop there.

  /// Between tries, at most.
  private static let pauseSecondsMax = 5.0

  private let service: HTTPService
  private let intake: any MessageIntake
  private let loop: any EventLoop
  private let address: String
  private var memory: UploadHold
  /// On its way.
  private var batch: MessageBatch?
  /// The batch's next try, until that begins.
  private var retry: Scheduled<Void>?
  private var isAbandoned = false
  private var hasComplained = false
  /// Called on the loop once a batch is stored, with what is to be answered.
  var whenStored: ([UInt8]) -> Void = { _ in }

  init(service: HTTPService, intake: any MessageIntake, address: String, loop: any EventLoop) {
    (self.service, self.intake, self.address, self.loop) = (service, intake, address, loop)
    memory = UploadHold(of: service.budget, tenant: intake.tenant, address: address)
  }

  deinit { memory.giveBack() }

  /// Whether a batch is on its way.
  var isStoring: Bool { batch != nil }

  /// Gives memory back for bytes that have gone.
  func release(_ byteCount: Int) {
    if byteCount > 0 { keep(max(0, memory.byteCount - byteCount)) }
  }

  /// Takes memory for bytes that have come; false: there is none.
  func hold(_ byteCount: Int) -> Bool { memory.take(byteCount) }

  /// Holds memory for so many bytes, as far as there is some: what came was let in already.
  func keep(_ byteCount: Int) {
    if byteCount < memory.byteCount { memory.giveBack() }
    _ = memory.take(byteCount - memory.byteCount)
  }

  /// Stores a batch, while nothing else is on its way.
  ///
  /// - Parameter keeping: What is held besides, in bytes.
  func store(_ batch: MessageBatch, keeping byteCount: Int) {
    keep(byteCount + batch.byteCount)
    self.batch = batch
    submit()
  }

  private func submit() {
    retry = nil
    guard let batch else { return }
    let (intake, loop) = (intake, loop)
    Task {
      let outcome = await intake.store(batch)
      loop.execute { self.finish(outcome) }
    }
  }

  private func finish(_ outcome: IntakeOutcome) {
    switch outcome {
    case .done(let answer):
      batch = nil
      hasComplained = false
      whenStored(answer)
    case .later(let seconds, let reason, let storedCount):
      self.batch?.storedCount = storedCount
      guard !isAbandoned else { return lose(reason) }
      complain(reason)
      let pause = min(max(seconds, 0.1), MessageDelivery.pauseSecondsMax)
      retry = loop.scheduleTask(in: .milliseconds(Int64(pause * 1_000))) { self.submit() }
    }
  }

  private func complain(_ reason: String) {
    guard !hasComplained else { return }
    hasComplained = true
    service.logger.warning(
      "\(intake.form.rawValue) messages wait: they cannot be stored now",
      metadata: ["address": "\(address)", "tenant": "\(intake.tenant)", "detail": "\(reason)"])
  }

  private func lose(_ reason: String) {
    guard let batch else { return }
    self.batch = nil
    service.metrics.messagesLost(batch.messages.count)
    service.logger.error(
      "\(intake.form.rawValue) messages are lost: the server stops and they cannot be stored",
      metadata: ["messages": "\(batch.messages.count)", "address": "\(address)", "detail": "\(reason)"])
    whenStored([])
  }

  /// Says why a connection is not read on.
  func refuse(_ reason: String) {
    service.logger.warning(
      "a \(intake.form.rawValue) connection was closed: \(reason)", metadata: ["address": "\(address)"])
  }

  /// No more tries: the server stops.
  func abandon() {
    guard !isAbandoned else { return }
    isAbandoned = true
    guard let retry else { return }
    retry.cancel()
    lose("it was tried until the end")
  }
}
