/// Reads a stream of Server-Sent Events as it comes, however it is cut (WHATWG HTML, §9.2.6).
struct EventStreamParser {
  struct Event: Equatable {
    /// `message` unless the stream says otherwise.
    var type = "message"
    var data = ""
    /// What to come back with; of the last event that had one.
    var id: String?
  }

  private var line: [UInt8] = []
  private var endedInReturn = false
  /// What to come back with: also of events without data, which are none to show.
  private(set) var lastID: String?
  /// Counts once its event is whole.
  private var pendingID: String?
  private var type = ""
  private var data: [String] = []
  private let lineBytesMax: Int

  /// - Parameter lineBytesMax: Beyond it the rest of a line is dropped.
  init(lineBytesMax: Int = 16 << 20) { self.lineBytesMax = lineBytesMax }

  /// The events that are whole with these bytes.
  mutating func feed(_ bytes: some Sequence<UInt8>) -> [Event] {
    var events: [Event] = []
    for byte in bytes {
      // A line ends in CR LF, LF or CR.
      let isSecond = endedInReturn && byte == 10
      endedInReturn = byte == 13
      if isSecond { continue }
      guard byte == 10 || byte == 13 else {
        if line.count < lineBytesMax { line.append(byte) }
        continue
      }
      if let event = take(line) { events.append(event) }
      line.removeAll(keepingCapacity: true)
    }
    return events
  }

  private mutating func take(_ line: [UInt8]) -> Event? {
    guard !line.isEmpty else {
      lastID = pendingID ?? lastID
      defer {
        type = ""
        data = []
      }
      if data.isEmpty { return nil }
      return Event(
        type: type.isEmpty ? "message" : type, data: data.joined(separator: "\n"), id: lastID)
    }
    let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
    var value = parts.count > 1 ? parts[1] : []
    if value.first == UInt8(ascii: " ") { value.removeFirst() }
    let text = String(decoding: value, as: UTF8.self)
    switch String(decoding: parts[0], as: UTF8.self) {
    case "event": type = text
    case "data": data.append(text)
    case "id": pendingID = text
    default: break
    }
    return nil
  }
}
