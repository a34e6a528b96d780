import Glibc

/// The three streams a process is started with.
package enum StandardStreams {
  /// Call first in `main`. Finds out which streams are closed and keeps their numbers from files and sockets
  /// opened later, into which what is meant for people would be written. Writes to a pipe that nobody reads
  /// become errors instead of a signal.
  package static func prepare() {
    _ = areClosed
    _ = signal(SIGPIPE, SIG_IGN)
  }

  /// Of the descriptors 0 to 2, which the process was started without.
  private static let areClosed: [Bool] = (Int32(0)...2).map { descriptor in
    let flags = fcntl(descriptor, F_GETFD)
    // The lowest free number, which is this one.
    if flags < 0 { _ = retrying { unsafe open("/dev/null", O_RDWR) } }
    // What an exec closes was not there before it: the runtime, which starts before `main`, has taken the
    // number.
    return flags < 0 || flags & FD_CLOEXEC != 0
  }

  /// Whether the process was started without the stream of this number, 0 to 2. Such a stream must not be
  /// used.
  static func isClosed(_ descriptor: Int32) -> Bool { areClosed[Int(descriptor)] }

  /// Writes all of `bytes` or throws. Blocks as long as the reader does, also when whoever started the
  /// process made the descriptor one that does not block.
  fileprivate static func write(_ bytes: [UInt8], to descriptor: Int32) throws(StreamError) {
    guard !isClosed(descriptor) else { throw .refused(code: EBADF) }
    var written = 0
    while written < bytes.count {
      // Within bounds: `written` is less than the array's count.
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress.map { unsafe $0 + written }, bytes.count - written)
      }
      if count > 0 {
        written += count
        continue
      }
      let code = count == 0 ? EIO : errno
      switch code {
      case EINTR: break
      case EAGAIN:
        var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        // `state` is a local that outlives the call. Whatever ends the wait: the next write tells.
        _ = unsafe poll(&state, 1, -1)
      case EPIPE: throw .readerLeft
      default: throw .refused(code: code)
      }
    }
  }
}

/// Why a stream did not take all of what was written.
package enum StreamError: Error, Equatable {
  /// Whoever read the pipe has closed it.
  case readerLeft
  /// Anything else: `code` is errno.
  case refused(code: Int32)
}

/// Standard output: what a program was asked for.
package enum StandardOutput {
  /// Writes all of `bytes` or throws; some may have been written then. Blocks.
  package static func write(_ bytes: [UInt8]) throws(StreamError) {
    try StandardStreams.write(bytes, to: 1)
  }
}

/// Standard error: what there is to say about it.
package enum StandardError {
  /// Writes `bytes` as far as the stream takes them: there is nobody left to tell of a failure. Blocks.
  package static func write(_ bytes: [UInt8]) {
    do throws(StreamError) { try StandardStreams.write(bytes, to: 2) } catch {}
  }
}

/// The system's words for error numbers.
package enum SystemError {
  /// For example `No space left on device`.
  package static func words(_ code: Int32) -> String {
    // Glibc's text for this thread, copied before anything else is called.
    unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
  }
}

extension DiskError: CustomStringConvertible {
  /// For people: what was tried, with which file, and the system's words.
  package var description: String {
    switch self {
    case .full(let operation, let path): "cannot \(operation) \(path): \(SystemError.words(ENOSPC))"
    case .notFound(let path): "\(path): \(SystemError.words(ENOENT))"
    case .failed(let operation, let path, let offset, let code):
      "cannot \(operation) \(path)\(offset > 0 ? " at byte \(offset)" : ""): \(SystemError.words(code))"
    }
  }
}
