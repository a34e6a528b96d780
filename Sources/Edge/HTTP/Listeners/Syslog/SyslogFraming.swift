import Decoding
import Records
import Routing

/// Where syslog messages end on a stream (RFC 6587): each has its length before it (`73 <13>1 …`), or a line
/// feed or NUL behind it, told by how it begins, since both occur on one connection. Total: takes any bytes.
struct SyslogFraming: Sendable {
  /// What is left to pass of a message that was cut.
  private enum Passing {
    case nothing
    case bytes(Int)
    case line
  }

  private static let lengthDigitsMax = 10

  private let messageBytesMax: Int
  private var buffer: [UInt8] = []
  private var at = 0
  /// No end of a line is before it.
  private var searched = 0
  private var passing = Passing.nothing
  private var isBegun = false

  /// - Parameter messageBytesMax: Longer messages are cut to it.
  init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

  /// Bytes that wait to be taken.
  var heldBytes: Int { buffer.count - at }

  /// Whether the stream is compressed by zlib, which rsyslog does if it is told to: nothing of it can be
  /// read. Known from the first two bytes.
  var isCompressed: Bool {
    !isBegun && heldBytes >= 2 && buffer[at] == 0x78 && [0x01, 0x9C, 0xDA].contains(buffer[at + 1])
  }

  mutating func append(_ bytes: some Sequence<UInt8>) {
    if at > 0, at == buffer.count || at > 1 << 16 {
      buffer.removeSubrange(..<at)
      searched = max(0, searched - at)
      at = 0
    }
    buffer.append(contentsOf: bytes)
  }

  /// Moves whole messages into `batch`, as long as that has less than `bytesMax` and `countMax`.
  ///
  /// - Returns: Whether there may be more of them.
  mutating func take(
    into batch: inout MessageBatch, from source: String, bytesMax: Int, countMax: Int = .max
  ) -> Bool {
    while batch.byteCount < bytesMax, batch.messages.count < countMax {
      guard pass(), let message = next() else { return false }
      isBegun = true
      append(message.range, isCut: message.isCut, from: source, to: &batch)
    }
    return true
  }

  /// Moves what is there of a message that is not whole, and passes over what comes of it later.
  ///
  /// - Parameter hasEnded: The stream has: else nobody waits for the rest any more, and a length that is not
  ///   whole stays.
  mutating func flush(into batch: inout MessageBatch, from source: String, hasEnded: Bool) {
    guard pass(), at < buffer.count else { return }
    switch length() {
    case .counted(let count, let start):
      append(start..<buffer.count, isCut: true, from: source, to: &batch)
      passing = .bytes(count - (buffer.count - start))
    case .unknown where !hasEnded: return
    case nil, .unknown, .some(.none):
      append(at..<buffer.count, isCut: !hasEnded, from: source, to: &batch)
      passing = .line
    }
    at = buffer.count
    searched = at
  }

  private func append(_ range: Range<Int>, isCut: Bool, from source: String, to batch: inout MessageBatch) {
    // A line feed may be counted, with CR before it.
    let message = buffer[range].withoutLineEnd
    if !message.isEmpty { batch.append(message, from: source, isCut: isCut) }
  }

  /// Passes over what is left of a cut message, and over ends of lines between messages; false: more bytes
  /// are to come first.
  private mutating func pass() -> Bool {
    switch passing {
    case .nothing: break
    case .bytes(let count):
      let passed = min(count, heldBytes)
      at += passed
      passing = count > passed ? .bytes(count - passed) : .nothing
      if count > passed { return false }
    case .line:
      while at < buffer.count, buffer[at] != 0x0A, buffer[at] != 0 { at += 1 }
      guard at < buffer.count else { return false }
      passing = .nothing
    }
    while at < buffer.count, buffer[at].endsLine { at += 1 }
    return true
  }

  private enum Length {
    case counted(Int, headerEnd: Int)
    /// Digits, and it is not there yet what they are.
    case unknown
    case none
  }

  private func length() -> Length? {
    guard at < buffer.count else { return nil }
    guard (0x31...0x39).contains(buffer[at]) else { return Length.none }
    var (value, end) = (0, at)
    while end < buffer.count, (0x30...0x39).contains(buffer[end]) {
      guard end - at < SyslogFraming.lengthDigitsMax else { return Length.none }
      value = value * 10 + Int(buffer[end] & 0x0F)
      end += 1
    }
    guard end < buffer.count else { return .unknown }
    guard buffer[end] == 0x20 else { return Length.none }
    // A line may begin with a number too; what is counted begins with its priority.
    guard end + 1 < buffer.count else { return .unknown }
    return buffer[end + 1] == UInt8(ascii: "<") ? .counted(value, headerEnd: end + 1) : Length.none
  }

  /// The next message, which is taken from the buffer; nil: it is not whole.
  private mutating func next() -> (range: Range<Int>, isCut: Bool)? {
    switch length() {
    case nil, .unknown: return nil
    case .counted(let count, let start):
      guard buffer.count - start >= min(count, messageBytesMax) else { return nil }
      let end = start + min(count, messageBytesMax)
      at = end
      searched = end
      if count > messageBytesMax { passing = .bytes(count - messageBytesMax) }
      return (start..<end, count > messageBytesMax)
    case .some(.none):
      let start = at
      var end = max(at, searched)
      let limit = min(buffer.count, start + messageBytesMax + 1)
      while end < limit, buffer[end] != 0x0A, buffer[end] != 0 { end += 1 }
      searched = end
      if end < limit {
        at = end + 1
        return (start..<end, false)
      }
      guard end - start > messageBytesMax else { return nil }
      at = start + messageBytesMax
      passing = .line
      return (start..<at, true)
    }
  }
}

extension UInt8 {
  /// Whether messages end with it: LF, CR or NUL.
  fileprivate var endsLine: Bool { self == 0x0A || self == 0x0D || self == 0 }
}

extension ArraySlice<UInt8> {
  /// Without what ends a message.
  var withoutLineEnd: ArraySlice<UInt8> {
    let kept = lastIndex { !$0.endsLine }
    return kept.map { self[...$0] } ?? []
  }
}
