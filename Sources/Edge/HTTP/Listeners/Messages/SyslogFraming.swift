import Decoding
import Records
import Routing

/// Where syslog messages end on a stream (RFC 6587): each has its length before it (`73 <13>1 …`), or a line
/// feed or NUL behind it, told by how it begins, since both occur on one connection. Total: takes any bytes.
struct SyslogFraming: MessageFraming {
  /// What is left to pass of a message that was cut.
  private enum Passing {
    case nothing
    case bytes(Int)
    case line
  }

  private static let lengthDigitsMax = 10

  private let messageBytesMax: Int
  private var stream = StreamBuffer()
  /// No end of a line is before it.
  private var searched = 0
  private var passing = Passing.nothing
  private var isBegun = false

  /// - Parameter messageBytesMax: Longer messages are cut to it.
  init(messageBytesMax: Int) { self.messageBytesMax = messageBytesMax }

  var heldBytes: Int { stream.heldBytes }

  /// A stream that is compressed by zlib, which rsyslog does if it is told to: known from the first two
  /// bytes.
  var fault: String? {
    let isCompressed =
      !isBegun && heldBytes >= 2 && stream.bytes[stream.at] == 0x78
      && [0x01, 0x9C, 0xDA].contains(stream.bytes[stream.at + 1])
    return isCompressed ? "a zlib stream (compression.mode of rsyslog), which is not read" : nil
  }

  mutating func append(_ bytes: [UInt8]) { searched = max(0, searched - stream.append(bytes)) }

  mutating func take(
    into batch: inout MessageBatch, from source: String, bytesMax: Int, countMax: Int = .max
  ) -> Bool {
    guard fault == nil else { return false }
    while batch.byteCount < bytesMax, batch.messages.count < countMax {
      guard pass(), let message = next() else { return false }
      isBegun = true
      append(message.range, isCut: message.isCut, from: source, to: &batch)
    }
    return true
  }

  /// Of a stream that has not ended a length that is not whole stays.
  mutating func flush(into batch: inout MessageBatch, from source: String, hasEnded: Bool) {
    guard pass(), stream.at < stream.bytes.count else { return }
    switch length() {
    case .counted(let count, let start):
      append(start..<stream.bytes.count, isCut: true, from: source, to: &batch)
      passing = .bytes(count - (stream.bytes.count - start))
    case .unknown where !hasEnded: return
    case nil, .unknown, .some(.none):
      append(stream.at..<stream.bytes.count, isCut: !hasEnded, from: source, to: &batch)
      passing = .line
    }
    stream.at = stream.bytes.count
    searched = stream.at
  }

  private func append(_ range: Range<Int>, isCut: Bool, from source: String, to batch: inout MessageBatch) {
    // A line feed may be counted, with CR before it.
    let message = stream.bytes[range].withoutLineEnd
    if !message.isEmpty { batch.append(message, from: source, isCut: isCut) }
  }

  /// Passes over what is left of a cut message, and over ends of lines between messages; false: more bytes
  /// are to come first.
  private mutating func pass() -> Bool {
    switch passing {
    case .nothing: break
    case .bytes(let count):
      let passed = min(count, heldBytes)
      stream.at += passed
      passing = count > passed ? .bytes(count - passed) : .nothing
      if count > passed { return false }
    case .line:
      while stream.at < stream.bytes.count, stream.bytes[stream.at] != 0x0A, stream.bytes[stream.at] != 0 {
        stream.at += 1
      }
      guard stream.at < stream.bytes.count else { return false }
      passing = .nothing
    }
    while stream.at < stream.bytes.count, stream.bytes[stream.at].endsLine { stream.at += 1 }
    return true
  }

  private enum Length {
    case counted(Int, headerEnd: Int)
    /// Digits, and it is not there yet what they are.
    case unknown
    case none
  }

  private func length() -> Length? {
    guard stream.at < stream.bytes.count else { return nil }
    guard (0x31...0x39).contains(stream.bytes[stream.at]) else { return Length.none }
    var (value, end) = (0, stream.at)
    while end < stream.bytes.count, (0x30...0x39).contains(stream.bytes[end]) {
      guard end - stream.at < SyslogFraming.lengthDigitsMax else { return Length.none }
      value = value * 10 + Int(stream.bytes[end] & 0x0F)
      end += 1
    }
    guard end < stream.bytes.count else { return .unknown }
    guard stream.bytes[end] == 0x20 else { return Length.none }
    // A line may begin with a number too; what is counted begins with its priority.
    guard end + 1 < stream.bytes.count else { return .unknown }
    return stream.bytes[end + 1] == UInt8(ascii: "<") ? .counted(value, headerEnd: end + 1) : Length.none
  }

  /// The next message, which is taken from the buffer; nil: it is not whole.
  private mutating func next() -> (range: Range<Int>, isCut: Bool)? {
    switch length() {
    case nil, .unknown: return nil
    case .counted(let count, let start):
      guard stream.bytes.count - start >= min(count, messageBytesMax) else { return nil }
      let end = start + min(count, messageBytesMax)
      stream.at = end
      searched = end
      if count > messageBytesMax { passing = .bytes(count - messageBytesMax) }
      return (start..<end, count > messageBytesMax)
    case .some(.none):
      let start = stream.at
      var end = max(stream.at, searched)
      let limit = min(stream.bytes.count, start + messageBytesMax + 1)
      while end < limit, stream.bytes[end] != 0x0A, stream.bytes[end] != 0 { end += 1 }
      searched = end
      if end < limit {
        stream.at = end + 1
        return (start..<end, false)
      }
      guard end - start > messageBytesMax else { return nil }
      stream.at = start + messageBytesMax
      passing = .line
      return (start..<stream.at, true)
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
