import Records

/// Puts messages together that came in chunks over UDP (GELF 1.1): up to 128 of them, within five seconds, in
/// any order, each with the message's id. What is not whole by then is lost, as is the oldest where there is
/// more than a bound.
struct GELFChunks: Sendable {
  /// What a chunk came to.
  struct Outcome: Sendable, Hashable {
    /// It was the last of this message.
    var message: [UInt8]?
    /// Messages that will never be whole.
    var lostCount = 0
  }

  private struct Key: Hashable {
    let source: Name
    let id: ArraySlice<UInt8>
  }

  private struct Message {
    let begunAt: UInt64
    var chunks: [ArraySlice<UInt8>?]
    var missing: Int
    var byteCount = 0
  }

  private static let magic: [UInt8] = [0x1E, 0x0F]
  private static let headBytes = 12
  private static let chunksMax = 128
  private static let lifeNanoseconds: UInt64 = 5_000_000_000
  private static let messagesMax = 1_024
  /// Of all messages that are not whole.
  private static let bytesMax = 8 << 20

  private let messageBytesMax: Int
  private var messages: [Key: Message] = [:]
  /// Bytes of chunks that wait.
  private(set) var heldBytes = 0

  /// - Parameter messageBytesMax: Longer ones are cut when they are whole; beyond twice as much, and a
  ///   datagram, they are lost.
  init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

  static func isChunk(_ datagram: [UInt8]) -> Bool { datagram.starts(with: magic) }

  /// - Parameter now: Nanoseconds of a clock that does not step.
  mutating func add(_ datagram: [UInt8], from source: String, now: UInt64) -> Outcome {
    var outcome = Outcome()
    guard datagram.count > GELFChunks.headBytes else {
      outcome.lostCount += 1
      return outcome
    }
    let (number, count) = (Int(datagram[10]), Int(datagram[11]))
    guard (1...GELFChunks.chunksMax).contains(count), number < count else {
      outcome.lostCount += 1
      return outcome
    }
    let key = Key(source: Name(source), id: datagram[2..<10])
    let fresh = Message(begunAt: now, chunks: Array(repeating: nil, count: count), missing: count)
    var message = messages[key] ?? fresh
    // Of another count, or later, it is another message under an id that was used.
    if message.chunks.count != count || GELFChunks.isOld(message, now) {
      outcome.lostCount += forget(key)
      message = fresh
    }
    guard message.chunks[number] == nil else { return outcome }
    let chunk = datagram[GELFChunks.headBytes...]
    message.chunks[number] = chunk
    message.missing -= 1
    message.byteCount += datagram.count
    heldBytes += datagram.count
    messages[key] = message
    if message.byteCount > messageBytesMax * 2 + 65_536 {
      outcome.lostCount += forget(key)
    } else if message.missing == 0 {
      _ = forget(key)
      outcome.message = message.chunks.flatMap { $0 ?? [] }
    }
    outcome.lostCount += makeRoom()
    return outcome
  }

  /// Forgets what is too old.
  ///
  /// - Returns: How many messages.
  mutating func expire(now: UInt64) -> Int {
    let old = messages.filter { GELFChunks.isOld($0.value, now) }.keys
    return old.reduce(0) { $0 + forget($1) }
  }

  private static func isOld(_ message: Message, _ now: UInt64) -> Bool {
    now &- message.begunAt > lifeNanoseconds
  }

  private mutating func makeRoom() -> Int {
    var lost = 0
    while heldBytes > GELFChunks.bytesMax || messages.count > GELFChunks.messagesMax,
      let oldest = messages.min(by: { $0.value.begunAt < $1.value.begunAt })?.key
    {
      lost += forget(oldest)
    }
    return lost
  }

  private mutating func forget(_ key: Key) -> Int {
    guard let message = messages.removeValue(forKey: key) else { return 0 }
    heldBytes -= message.byteCount
    return 1
  }
}
