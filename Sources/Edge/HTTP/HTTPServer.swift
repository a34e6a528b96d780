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

  /// Opens the listeners, in order.
  ///
  /// - Returns: Their ports.
  /// - Throws: At the first that cannot be opened; those before it stay open until ``stop(withinSeconds:)``.
  package func listen(on listeners: [Listener]) async throws -> [Int] {
    var ports: [Int] = []
    for listener in listeners {
      let channel = try await service(of: listener).open(listener, on: group)
      open.withLock { $0.append(channel) }
      ports.append(channel.localAddress?.port ?? listener.port)
    }
    return ports
  }

  private func service(of listener: Listener) -> any ListenerService {
    switch listener.service {
    case .http: HTTP1Listening(service: service)
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
