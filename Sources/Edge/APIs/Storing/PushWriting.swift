import Access
import Columnar
import Decoding
import Platform
import Records
import Routing

/// What a push in another program's form comes to.
struct Push<Made: Sendable>: Sendable {
  /// nil: nothing is to be stored.
  let batch: RecordBatch?
  /// What else the answer needs of the body: a repeat is decoded anew.
  let made: Made
  /// What the answer needs as it was when the push was stored: comes back for a repeat.
  fileprivate(set) var kept: [UInt8]
  /// What a repeat is known by where the push itself says so; nil: by `Idempotency-Key` alone.
  let key: String?

  init(_ batch: RecordBatch?, _ made: Made, kept: [UInt8] = [], key: String? = nil) {
    self.batch = batch
    self.made = made
    self.kept = kept
    self.key = key
  }
}

/// What the routes of other programs' shippers do alike: body, decoding, storing in the dataset `logs`.
struct PushWriting: Sendable {
  let store: RecordStoring
  /// Told apart from bodies of other routes under one idempotency key.
  let salt: UInt64

  /// Stores what `decode` makes of the body and answers once it is on the disk.
  ///
  /// - Parameters:
  ///   - coding: How the body is compressed if the request does not say so; nil: not at all.
  ///   - answer: Made of the push and its receipt; nil: nothing was to be stored.
  func write<Made: Sendable>(
    _ call: HTTPCall, for principal: Principal, unlessSaid coding: ContentCoding? = nil,
    decode: @escaping @Sendable ([UInt8], DecodingMemory) throws(Problem) -> Push<Made>,
    answer: (Push<Made>, AppendReceipt?) -> HTTPAnswer
  ) async throws(Problem) -> HTTPAnswer {
    try await store.withBody(of: call, unlessSaid: coding) { body throws(Problem) -> HTTPAnswer in
      let push = try await store.decoding(body, decode)
      let key = try RecordStoring.key(of: call) ?? push.key
      guard let batch = push.batch else { return answer(push, nil) }
      let write = RecordWrite(batch, .logs, bodyBytes: body.count, salt: salt, kept: push.kept)
      return try await store.store(write, key: key, of: call, for: principal) { receipt in
        var push = push
        if receipt.isReplay { push.kept = receipt.answer }
        return answer(push, receipt)
      }
    }
  }
}

extension Problem {
  /// - Parameter empty: What is said of a push without anything.
  init(_ fault: PushFault, empty: Problem = Problem(400, "The body has no record.")) {
    switch fault {
    case .malformed(let reason): self.init(400, reason)
    case .empty: self = empty
    case .busy: self = .tooManyUploads
    case .tooLarge:
      self.init(413, "The push is too large: send fewer records at a time (limits.entries_max, and 256 MiB).")
    }
  }
}
