import Records
import Tailing

/// Where an accepted request for a live stream goes.
package struct LiveEndpoint: Sendable {
  /// What the stream's maker is told of the connection.
  package struct Opening: Sendable {
    package let form: LiveForm
    /// `Last-Event-ID`, where the client says where it was.
    package let lastEventID: String?
    /// To be called when there is something to take.
    package let wake: @Sendable () -> Void

    package init(form: LiveForm, lastEventID: String?, wake: @escaping @Sendable () -> Void) {
      self.form = form
      self.lastEventID = lastEventID
      self.wake = wake
    }
  }

  package typealias Open = @Sendable (Opening) async throws(Problem) -> LiveSession

  /// The route's name in metrics: one of a fixed few.
  package let route: String
  package let errors: ErrorFormat
  /// The sub-protocol of the handshake that is agreed to; nil: none.
  package let subprotocol: String?
  /// Whether the caller may still listen. Asked every few seconds on the event loop: microseconds, no disk.
  package let mayListen: @Sendable () -> Bool
  package let open: Open
  /// Whose records are followed; nil: nobody's that is known.
  package var tenant: Tenant?

  package init(
    route: String, errors: ErrorFormat, subprotocol: String? = nil,
    mayListen: @escaping @Sendable () -> Bool, open: @escaping Open
  ) {
    self.route = route
    self.errors = errors
    self.subprotocol = subprotocol
    self.mayListen = mayListen
    self.open = open
  }
}

/// A live stream as its connection carries it out.
package struct LiveSession: Sendable {
  /// What comes live, from its `positionStart` on.
  package let subscription: LiveSubscription
  /// Whether the client was here before, and goes on where it was.
  package var isResumed = false
  /// Sent first, in the stream's form.
  package var opening: [UInt8] = []
  /// What ``opening`` takes, held until the socket took it.
  package var memory: MemoryReservation?
  /// Gives what lies between a client's last event and the subscription's start, a piece a call; nil at the
  /// end. May block: runs off the event loops.
  package var catchUp: (@Sendable () async throws(Problem) -> [UInt8]?)?
  /// A message for every heartbeat; nil: none but the form's own.
  package var heartbeat: (@Sendable () -> [UInt8])?
  /// The answer to a text message of the client; nil: none.
  package var reply: (@Sendable (String) -> String?)?
  /// Told once when the stream is over.
  package var ended: @Sendable () -> Void = {}

  package init(_ subscription: LiveSubscription) { self.subscription = subscription }

  /// The stream does not begin.
  package func abandon() {
    subscription.cancel()
    ended()
  }
}
