import Codecs
import Decoding
import Routing

/// Cuts a stream into messages. Total: takes any bytes.
protocol MessageFraming: Sendable {
  /// Bytes that wait to be taken.
  var heldBytes: Int { get }
  /// Why nothing more of the stream can be read; nil: it can.
  var fault: String? { get }

  mutating func append(_ bytes: [UInt8])

  /// Moves whole messages into `batch`, as long as that has less than `bytesMax` and `countMax`.
  ///
  /// - Returns: Whether there may be more of them.
  mutating func take(
    into batch: inout MessageBatch, from source: String, bytesMax: Int, countMax: Int
  ) -> Bool

  /// Moves what is there of a message that is not whole, if a part of one means something, and passes over
  /// what comes of it later.
  ///
  /// - Parameter hasEnded: The stream has: else nobody waits for the rest any more.
  mutating func flush(into batch: inout MessageBatch, from source: String, hasEnded: Bool)
}

extension MessageForm {
  func framing(messageBytesMax: Int) -> any MessageFraming {
    switch self {
    case .syslog: SyslogFraming(messageBytesMax: messageBytesMax)
    case .gelf: NULFraming(messageBytesMax: messageBytesMax)
    case .forward: ForwardFraming(messageBytesMax: messageBytesMax)
    }
  }
}

/// Bytes of a stream, of which those at the front go.
struct StreamBuffer: Sendable {
  private(set) var bytes: [UInt8] = []
  /// Of the first that was not taken.
  var at = 0

  var heldBytes: Int { bytes.count - at }

  /// - Returns: By how much all offsets have become smaller.
  @discardableResult
  mutating func append(_ more: [UInt8]) -> Int {
    var moved = 0
    if at > 0, at == bytes.count || at > 1 << 16 {
      bytes.removeSubrange(..<at)
      moved = at
      at = 0
    }
    bytes.append(contentsOf: more)
    return moved
  }

  mutating func drop() {
    bytes = []
    at = 0
  }
}

/// Messages with a NUL behind each, as GELF has them on a stream.
struct NULFraming: MessageFraming {
  private let messageBytesMax: Int
  private var buffer = StreamBuffer()
  /// No NUL is before it.
  private var searched = 0
  /// What comes until the next NUL belongs to a message that was cut.
  private var isPassing = false

  /// - Parameter messageBytesMax: Longer messages are cut to it.
  init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

  var heldBytes: Int { buffer.heldBytes }
  var fault: String? { nil }

  mutating func append(_ bytes: [UInt8]) { searched -= buffer.append(bytes) }

  mutating func take(
    into batch: inout MessageBatch, from source: String, bytesMax: Int, countMax: Int
  ) -> Bool {
    while batch.byteCount < bytesMax, batch.messages.count < countMax {
      let limit = isPassing ? buffer.bytes.count : min(buffer.bytes.count, buffer.at + messageBytesMax + 1)
      var end = max(buffer.at, searched)
      while end < limit, buffer.bytes[end] != 0 { end += 1 }
      searched = end
      if end < limit {
        if !isPassing { append(buffer.at..<end, from: source, to: &batch) }
        isPassing = false
        buffer.at = end + 1
      } else if isPassing {
        buffer.at = end
        return false
      } else if end - buffer.at > messageBytesMax {
        append(buffer.at..<buffer.at + messageBytesMax, isCut: true, from: source, to: &batch)
        buffer.at += messageBytesMax
        isPassing = true
      } else {
        return false
      }
    }
    return true
  }

  mutating func flush(into batch: inout MessageBatch, from source: String, hasEnded: Bool) {
    if !isPassing { append(buffer.at..<buffer.bytes.count, isCut: !hasEnded, from: source, to: &batch) }
    isPassing = !hasEnded
    buffer.at = buffer.bytes.count
    searched = buffer.at
  }

  /// White space between messages is none.
  private func append(
    _ range: Range<Int>, isCut: Bool = false, from source: String, to batch: inout MessageBatch
  ) {
    let message = buffer.bytes[range].withoutLineEnd
    if !message.isEmpty { batch.append(message, from: source, isCut: isCut) }
  }
}

/// Values of MessagePack one behind the other. A part of one means nothing, and behind one that is broken
/// nobody knows where the next begins.
///
/// A value that asks for an answer comes in a batch of its own: what it holds is stored under its name, so
/// that a repeat stores nothing. So does one that is compressed: nobody knows what it comes to.
struct ForwardFraming: MessageFraming {
  private let messageBytesMax: Int
  private var buffer = StreamBuffer()
  private var scan = MessagePackScan()
  private(set) var fault: String?

  /// - Parameter messageBytesMax: Longer ones end the stream.
  init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

  var heldBytes: Int { buffer.heldBytes }

  mutating func append(_ bytes: [UInt8]) {
    if fault == nil { buffer.append(bytes) }
  }

  mutating func take(
    into batch: inout MessageBatch, from source: String, bytesMax: Int, countMax: Int
  ) -> Bool {
    while fault == nil, batch.byteCount < bytesMax, batch.messages.count < countMax {
      let end: Int?
      do throws(MessagePackReader.Fault) { end = try scan.end(of: buffer.bytes, from: buffer.at) } catch {
        refuse("it sends what is no MessagePack")
        return false
      }
      guard scan.byteCount <= messageBytesMax else {
        refuse("it sends more than \(messageBytesMax) bytes at once (listen.forward_message_bytes_max)")
        return false
      }
      guard let end else { return false }
      let isAlone = ForwardFraming.isAlone(buffer.bytes, buffer.at..<end)
      if isAlone, !batch.isEmpty { return true }
      batch.append(buffer.bytes[buffer.at..<end], from: source)
      buffer.at = end
      scan = MessagePackScan()
      if isAlone { return true }
    }
    return fault == nil
  }

  mutating func flush(into batch: inout MessageBatch, from source: String, hasEnded: Bool) {
    if heldBytes > 0 { refuse(hasEnded ? "it ended within a value" : "it stopped within a value") }
  }

  private mutating func refuse(_ reason: String) {
    fault = reason
    buffer.drop()
  }

  /// Whether one of the list's elements behind its events is a map with a `chunk`, or with `compressed`.
  private static func isAlone(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
    var reader = MessagePackReader(bytes, range)
    do throws(MessagePackReader.Fault) {
      guard case .array(let count) = try reader.next(), count >= 3 else { return false }
      for _ in 0..<2 { try reader.skip() }
      for _ in 2..<count {
        var inner = reader
        try reader.skip()
        guard case .map(let members) = try inner.next() else { continue }
        for _ in 0..<members {
          if case .text(let name) = try inner.next(),
            bytes[name].elementsEqual("chunk".utf8) || bytes[name].elementsEqual("compressed".utf8)
          {
            return true
          }
          try inner.skip()
        }
      }
    } catch {}
    return false
  }
}
