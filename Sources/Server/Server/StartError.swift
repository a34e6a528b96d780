import Glibc
import NIOCore

/// Why the server did not start.
package enum StartError: Error, CustomStringConvertible {
  case cannotListen(host: String, port: Int, reason: String)
  case store(String)

  static func cannotListen(host: String, port: Int, _ error: any Error) -> StartError {
    let reason =
      switch (error as? IOError)?.errnoCode {
      case EADDRINUSE: "the port is in use; choose another with --port (0 picks a free one)"
      case EACCES: "not allowed; ports below 1024 need special rights"
      case EADDRNOTAVAIL: "this machine has no such address"
      default: "\(error)"
      }
    return .cannotListen(host: host, port: port, reason: reason)
  }

  /// A sentence for the operator.
  package var description: String {
    switch self {
    case .cannotListen(let host, let port, let reason): "cannot listen on \(host):\(port): \(reason)"
    case .store(let reason): reason
    }
  }
}
