import Codecs

/// How a live stream's messages go over the wire.
package enum LiveForm: String, Sendable, Hashable {
  /// Text frames.
  case webSocket = "websocket"
  /// Server-Sent Events (WHATWG HTML, §9.2).
  case events

  /// A message that is not a record, ready to be sent.
  ///
  /// - Parameters:
  ///   - type: The event's name; WebSocket messages say it in the object.
  ///   - json: One line.
  package func message(_ type: StaticString, _ json: [UInt8]) -> [UInt8] {
    switch self {
    case .webSocket: return WebSocketFrames.text(json)
    case .events: return Array("event: \(type)\ndata: ".utf8) + json + [10, 10]
    }
  }

  /// Tells of records that were left out because the client reads too slowly.
  package func dropped(_ count: Int) -> [UInt8] {
    let text = JSONWriter.object { text in
      text.member("type", "dropped")
      text.member("count", count)
    }
    return message("dropped", text)
  }
}
