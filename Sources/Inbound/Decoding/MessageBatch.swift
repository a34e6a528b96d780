import Records

/// Messages that came by a listener without requests, one after the other.
package struct MessageBatch: Sendable {
  /// A message among the bytes.
  package struct Message: Sendable, Hashable {
    /// Without what ended it.
    package let range: Range<Int>
    /// Which of ``MessageBatch/sources``.
    package let source: Int
    /// Whether more of it was sent than is kept.
    package let isCut: Bool
  }

  package private(set) var bytes: [UInt8] = []
  package private(set) var messages: [Message] = []
  /// Addresses they came from.
  package private(set) var sources: [String] = []

  /// Of the records that the messages hold, in their order, so many are stored: a try before came so far.
  package var storedCount = 0

  /// Without messages.
  package init() {}

  package var isEmpty: Bool { messages.isEmpty }

  /// What it takes in memory, about.
  package var byteCount: Int { bytes.count + messages.count * MemoryLayout<Message>.stride }

  /// Appends a message.
  ///
  /// - Parameter source: The address it came from; of many in a row from one, that is kept once.
  package mutating func append(_ message: ArraySlice<UInt8>, from source: String, isCut: Bool = false) {
    if sources.last.map({ !$0.hasBytes(of: source) }) ?? true { sources.append(source) }
    let start = bytes.count
    bytes.append(contentsOf: message)
    messages.append(Message(range: start..<bytes.count, source: sources.count - 1, isCut: isCut))
  }
}
