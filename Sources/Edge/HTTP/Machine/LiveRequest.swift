import Routing

/// A request for a live stream, once its head was found right.
struct LiveRequest: Sendable {
  let head: RequestHead
  let endpoint: LiveEndpoint
  /// nil: Server-Sent Events.
  let handshake: WebSocketHandshake?

  /// - Throws: 400 for a broken handshake, 426 for a request that asks for neither form.
  init(_ head: RequestHead, _ endpoint: LiveEndpoint) throws(Problem) {
    self.head = head
    self.endpoint = endpoint
    handshake = WebSocketHandshake.isOffered(head) ? try WebSocketHandshake(head) : nil
    guard handshake != nil || LiveRequest.wantsEvents(head) else {
      throw Problem(426, "This path takes WebSockets, and Accept: text/event-stream.")
    }
  }

  private static func wantsEvents(_ head: RequestHead) -> Bool {
    head.headers[list: "Accept"].contains {
      $0.prefix { $0 != ";" }.utf8.elementsEqualIgnoringCase("text/event-stream")
    }
  }
}
