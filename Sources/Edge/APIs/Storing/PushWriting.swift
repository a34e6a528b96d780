import Access
import Codecs
import Columnar
import Decoding
import Platform
import Records
import Routing

/// What is counted of a push.
struct PushFigures: Sendable {
  /// Records left out.
  var refused = 0
  /// Records whose time cannot be read.
  var timesUnread = 0
  /// Bytes of all records as text.
  var textBytes = 0
}

/// What a push in another program's form comes to.
struct Push<Made: Sendable>: Sendable {
  /// nil: nothing is to be stored.
  let batch: RecordBatch?
  /// What else the answer needs of the body: a repeat is decoded anew.
  let made: Made
  let figures: PushFigures
  /// What the answer needs as it was when the push was stored: comes back for a repeat.
  fileprivate(set) var kept: [UInt8]
  /// What a repeat is known by where the push itself says so; nil: by `Idempotency-Key` alone.
  let key: String?

  init(
    _ batch: RecordBatch?, _ made: Made, _ figures: PushFigures, kept: [UInt8] = [], key: String? = nil
  ) {
    self.batch = batch
    self.made = made
    self.figures = figures
    self.kept = kept
    self.key = key
  }
}

extension PushWriting {
  /// What a repeat of a body is known by that names none itself: the same bytes to the same place.
  ///
  /// - Parameters:
  ///   - way: Whose keys they are.
  ///   - place: What decides beside the body what is stored.
  static func key(_ way: String, of body: [UInt8], _ place: String) -> String {
    let path = Hash64.xxh64(Array(place.utf8))
    let sums = [UInt64(1), 2].map { Hash64.xxh64(body, seed: path ^ $0) }
    return "\(way)-\(sums[0])-\(sums[1])"
  }
}

extension Push<Void> {
  init(_ records: PushedRecords, kept: [UInt8]) {
    self.init(
      records.batch, (),
      PushFigures(refused: records.refusedCount, textBytes: records.textBytes), kept: kept)
  }
}

/// What the routes of other programs' shippers do alike: body, decoding, storing in the dataset `logs`.
struct PushWriting: Sendable {
  let store: RecordStoring
  /// The API, in metrics.
  let way: String
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
      let key = try RecordStoring.key(of: call)
      guard let batch = push.batch else {
        store.countPush(by: way, refused: push.figures.refused, timesUnread: 0)
        return answer(push, nil)
      }
      let write = RecordWrite(batch, .logs, bodyBytes: body.count, salt: salt, kept: push.kept)
      let told = { (receipt: AppendReceipt) -> HTTPAnswer in
        var push = push
        if receipt.isReplay {
          push.kept = receipt.answer
        } else {
          store.countPush(
            by: way, refused: push.figures.refused, timesUnread: push.figures.timesUnread)
          // A few bytes may stand for many: those that were sent are charged already.
          store.rates?.charge(bytes: max(0, push.figures.textBytes - call.body.count), to: principal)
        }
        return answer(push, receipt)
      }
      guard key == nil, let own = push.key else {
        return try await store.store(write, key: key, of: call, for: principal, answer: told)
      }
      do throws(Problem) {
        return try await store.store(write, key: own, of: call, for: principal, answer: told)
      } catch {
        // Nobody asked for the key: where there are too many it is done without.
        guard error.status == 429 else { throw error }
        return try await store.store(write, key: nil, of: call, for: principal, answer: told)
      }
    }
  }
}

extension Problem {
  /// - Parameter empty: What is said of a push without anything.
  init(_ fault: PushFault, empty: Problem = Problem(400, "The body has no record.")) {
    switch fault {
    case .malformed(let reason), .badRecord(let reason): self.init(400, reason)
    case .empty: self = empty
    case .busy: self = .tooManyUploads
    case .tooLarge:
      self.init(413, "The push is too large: send fewer records at a time (limits.entries_max, and 256 MiB).")
    }
  }
}
