import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// What went wrong on the wire; a killed server shows as `closed`.
enum WireError: Error { case refused, closed, malformed(String) }

struct HTTPAnswer {
  let status: Int
  let headers: [String: String]
  let body: [UInt8]
  /// False when the connection ended before the length or the last chunk that was promised.
  let isComplete: Bool

  var text: String { String(decoding: body, as: UTF8.self) }
}

/// A blocking HTTP/1.1 connection for tests: it can also send half a request, or garbage.
final class HTTPConnection {
  private let descriptor: Int32
  private var pending: [UInt8] = []

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    // A server that never answers fails the test instead of stopping it.
    var patience = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    // What was opened is closed by the end of this object, which all that it holds is there for.
    guard result == 0 else { throw WireError.refused }
  }

  deinit { close(descriptor) }

  func sendRaw(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        send(descriptor, $0.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw WireError.closed }
      sent += count
    }
  }

  func request(
    _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8] = []
  ) throws -> HTTPAnswer {
    var head = "\(method) \(path) HTTP/1.1\r\nContent-Length: \(body.count)\r\n"
    if headers["Host"] == nil { head += "Host: localhost\r\n" }
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    try sendRaw(Array(head.utf8) + [13, 10] + body)
    return try readAnswer()
  }

  func readAnswer() throws -> HTTPAnswer {
    while true {
      if let end = range(of: [13, 10, 13, 10]) {
        let head = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
        pending.removeSubrange(..<end.upperBound)
        return try readBody(after: head)
      }
      guard try fill() else { throw WireError.closed }
    }
  }

  private func readBody(after head: String) throws -> HTTPAnswer {
    let lines = head.split(separator: "\r\n")
    guard let status = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
      throw WireError.malformed(head)
    }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...]
        .trimmingCharacters(in: .whitespaces)
    }
    if headers["transfer-encoding"] == "chunked" {
      let (body, complete) = try readChunks()
      return HTTPAnswer(status: status, headers: headers, body: body, isComplete: complete)
    }
    let length = Int(headers["content-length"] ?? "0") ?? 0
    while pending.count < length {
      guard try fill() else {
        return HTTPAnswer(status: status, headers: headers, body: pending, isComplete: false)
      }
    }
    let body = Array(pending[..<length])
    pending.removeFirst(length)
    return HTTPAnswer(status: status, headers: headers, body: body, isComplete: true)
  }

  private func readChunks() throws -> ([UInt8], Bool) {
    var body: [UInt8] = []
    var at = 0
    while true {
      while true {
        if let end = range(of: [13, 10], from: at) {
          let size = Int(String(decoding: pending[at..<end.lowerBound], as: UTF8.self), radix: 16) ?? 0
          while pending.count < end.upperBound + size + 2 { guard try fill() else { return (body, false) } }
          body += pending[end.upperBound..<end.upperBound + size]
          at = end.upperBound + size + 2
          if at > 1 << 20 || size == 0 {
            pending.removeFirst(at)
            at = 0
          }
          if size == 0 { return (body, true) }
          break
        }
        guard try fill() else { return (body, false) }
      }
    }
  }

  private func range(of needle: [UInt8], from start: Int = 0) -> Range<Int>? {
    guard pending.count >= start + needle.count else { return nil }
    for index in start...(pending.count - needle.count) where pending[index] == needle[0] {
      if pending[index..<index + needle.count].elementsEqual(needle) { return index..<index + needle.count }
    }
    return nil
  }

  private func fill() throws -> Bool {
    var buffer = [UInt8](repeating: 0, count: 256 * 1024)
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return false }
    pending += buffer[..<count]
    return true
  }
}
