import Glibc

/// A blocking HTTP/1.1 connection that writes prepared requests and reads answers with a Content-Length.
/// Costs the client close to nothing, so that the server's figures are the server's.
public final class Connection {
  public let socket: Int32
  private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

  public init(port: UInt16) {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var one: Int32 = 1
    setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else {
      fail("cannot connect to 127.0.0.1:\(port): \(String(cString: strerror(errno)))")
    }
  }

  deinit { close(socket) }

  public func send(_ head: [UInt8], _ body: UnsafeRawBufferPointer, _ tail: [UInt8]) {
    head.withUnsafeBytes { head in
      tail.withUnsafeBytes { tail in
        var parts = [head, body, tail].filter { !$0.isEmpty }.map {
          iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
        }
        var first = 0
        while first < parts.count {
          var written = parts.withUnsafeBufferPointer {
            writev(socket, $0.baseAddress.map { $0 + first }, Int32($0.count - first))
          }
          guard written >= 0 else { fail("the server closed the connection while we wrote") }
          while first < parts.count, written >= parts[first].iov_len {
            written -= parts[first].iov_len
            first += 1
          }
          if first < parts.count {
            parts[first].iov_base += written
            parts[first].iov_len -= written
          }
        }
      }
    }
  }

  /// Bytes of the last answer, head and body.
  public private(set) var received = 0

  /// The last answer's text.
  public var text: String { String(decoding: buffer[..<received], as: UTF8.self) }

  public func send(_ request: String) {
    let empty = UnsafeRawBufferPointer(start: nil, count: 0)
    send(Array(request.utf8), empty, [])
  }

  /// Reads one answer; returns its status.
  public func receive() -> Int {
    var have = 0
    while true {
      let count = read(socket, &buffer[have], buffer.count - have)
      guard count > 0 else { fail("the server closed the connection before it answered") }
      have += count
      received = have
      if let status = completeStatus(have) { return status }
    }
  }

  /// The status once head and body are there, else nil.
  private func completeStatus(_ have: Int) -> Int? {
    buffer.withUnsafeBytes { bytes in
      let text = bytes[..<have]
      let blank: [UInt8] = [13, 10, 13, 10]
      guard have >= 4, let end = (0...(have - 4)).first(where: { text[$0..<$0 + 4].elementsEqual(blank) })
      else { return nil }
      let headLength = end + 4
      let head = String(decoding: bytes[..<headLength], as: UTF8.self).lowercased()
      let status = Int(head.split(separator: " ")[1]) ?? 0
      let length =
        head.split(separator: "\r\n").first { $0.hasPrefix("content-length:") }
        .flatMap { Int($0.split(separator: ":")[1].trimmingPrefix(" ")) } ?? 0
      return have >= headLength + length ? status : nil
    }
  }
}

public func fail(_ message: String) -> Never {
  let line = Array("load: \(message)\n".utf8)
  _ = write(2, line, line.count)
  exit(1)
}

public func nanoseconds() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return time.tv_sec * 1_000_000_000 + time.tv_nsec
}
