import Logging
import NIOCore
import NIOPosix
import Platform
import Routing
import Synchronization

/// The server's network side: event loops, the listeners that are opened on them, and what serves each.
package final class HTTPServer: Sendable {
  private let group: MultiThreadedEventLoopGroup
  private let service: HTTPService
  private let open = Mutex<[any Channel]>([])

  /// - Parameter threads: Event loops; each serves the connections given to it on one thread.
  package init(
    router: any RequestRouter, limits: HTTPLimits, metrics: HTTPMetrics, logger: Logger,
    clock: any WallClock, threads: Int
  ) {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
    self.group = group
    self.service = HTTPService(
      router: router, limits: limits, metrics: metrics, logger: logger, group: group, clock: clock)
    service.startTicking()
  }

  /// Opens a listener, until ``stop(withinSeconds:)``.
  ///
  /// - Returns: Its port.
  /// - Throws: What the system says of the address.
  package func listen(on listener: Listener) async throws -> Int {
    let channel = try await service(of: listener).open(listener, on: group)
    open.withLock { $0.append(channel) }
    return channel.localAddress?.port ?? listener.port
  }

  private func service(of listener: Listener) -> any ListenerService {
    switch listener.service {
    case .http: HTTP1Listening(service: service)
    case .messageStream(let intake): MessageStreamListening(service: service, intake: intake)
    case .messageDatagrams(let intake): MessageDatagramListening(service: service, intake: intake)
    }
  }

  /// Stops listening, lets requests finish, and after `seconds` cuts those that have not.
  package func stop(withinSeconds seconds: Int) async {
    let channels = open.withLock { channels in
      defer { channels = [] }
      return channels
    }
    for channel in channels {
      // A listener that is closed already is what we want.
      try? await channel.close()
    }
    await service.stop(withinSeconds: seconds)
    // The loops have nothing left to run; an error here changes nothing for anybody.
    try? await group.shutdownGracefully()
  }
}
