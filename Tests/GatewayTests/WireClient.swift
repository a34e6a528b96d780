import Foundation
import Platform

#if canImport(Glibc)
  import Glibc
#endif

enum WireError: Error { case refused, closed, malformed(String) }

struct WireAnswer: Sendable {
  var status: Int
  /// Names in lower case.
  var headers: [String: String]
  var body: [UInt8]
  /// False when the connection ended before the promised length or the last chunk.
  var isComplete: Bool

  var text: String { String(decoding: body, as: UTF8.self) }
}

/// A blocking client on a thread of its own, so that Swift's pool stays free for the server under test.
/// It can send half a request, or garbage, and stop reading.
final class WireClient: @unchecked Sendable {
  // Safe because: `pending` is touched on the client's thread only; the descriptor is constant.
  private let thread = DiskThread(name: "client")
  private let descriptor: Int32
  private var pending: [UInt8] = []

  /// - Parameter receiveBytes: Size of the kernel's receive buffer; small for clients that shall not read.
  init(port: Int, receiveBytes: Int32? = nil) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    if var size = receiveBytes {
      setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
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

  func send(_ text: String) async throws { try await send(Array(text.utf8)) }

  func send(_ bytes: [UInt8]) async throws {
    let descriptor = descriptor
    try await thread.run {
      var sent = 0
      while sent < bytes.count {
        let count = bytes.withUnsafeBytes {
          Glibc.send(
            descriptor, $0.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
        }
        guard count > 0 else { throw WireError.closed }
        sent += count
      }
    }
  }

  /// Closes our sending side.
  func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  func request(
    _ method: String, _ path: String, headers: [(String, String)] = [], body: String = ""
  ) async throws -> WireAnswer {
    try await request(method, path, headers: headers, bytes: Array(body.utf8))
  }

  func request(
    _ method: String, _ path: String, headers: [(String, String)] = [], bytes: [UInt8]
  ) async throws -> WireAnswer {
    var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n"
    let bytes = method == "GET" || method == "HEAD" ? [] : bytes
    if method != "GET" { head += "Content-Length: \(bytes.count)\r\n" }
    for (name, value) in headers { head += "\(name): \(value)\r\n" }
    try await send(Array((head + "\r\n").utf8) + bytes)
    return try await readAnswer(hasBody: method != "HEAD")
  }

  /// Reads one final answer.
  func readAnswer(hasBody: Bool = true) async throws -> WireAnswer {
    try await thread.run { try self.blockingAnswer(hasBody: hasBody) }
  }

  /// Whether the server has closed: everything still to come is read and dropped.
  func readToEnd() async throws -> [UInt8] {
    try await thread.run {
      while try self.fill() {}
      return self.pending
    }
  }

  /// One read of what is there, as raw text.
  func readSome() async throws -> String {
    try await thread.run {
      guard try self.fill() else { throw WireError.closed }
      defer { self.pending = [] }
      return String(decoding: self.pending, as: UTF8.self)
    }
  }

  private func blockingAnswer(hasBody: Bool) throws -> WireAnswer {
    while true {
      if let end = find([13, 10, 13, 10]) {
        let head = String(decoding: pending[..<end.lowerBound], as: UTF8.self)
        pending.removeFirst(end.upperBound)
        return try body(after: head, hasBody: hasBody)
      }
      guard try fill() else { throw WireError.closed }
    }
  }

  private func body(after head: String, hasBody: Bool) throws -> WireAnswer {
    let lines = head.components(separatedBy: "\r\n")
    guard let status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") else {
      throw WireError.malformed(head)
    }
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
        in: .whitespaces)
    }
    var answer = WireAnswer(status: status, headers: headers, body: [], isComplete: true)
    guard hasBody else { return answer }
    if headers["transfer-encoding"] == "chunked" {
      (answer.body, answer.isComplete) = try chunks()
    } else {
      let length = Int(headers["content-length"] ?? "0") ?? 0
      while pending.count < length {
        guard try fill() else {
          answer.isComplete = false
          answer.body = pending
          return answer
        }
      }
      answer.body = Array(pending[..<length])
      pending.removeFirst(length)
    }
    return answer
  }

  private func chunks() throws -> ([UInt8], Bool) {
    var body: [UInt8] = []
    while true {
      guard let end = find([13, 10]) else {
        guard try fill() else { return (body, false) }
        continue
      }
      let size = Int(String(decoding: pending[..<end.lowerBound], as: UTF8.self), radix: 16) ?? 0
      while pending.count < end.upperBound + size + 2 { guard try fill() else { return (body, false) } }
      body += pending[end.upperBound..<end.upperBound + size]
      pending.removeFirst(end.upperBound + size + 2)
      if size == 0 { return (body, true) }
    }
  }

  private func find(_ needle: [UInt8]) -> Range<Int>? {
    guard pending.count >= needle.count else { return nil }
    for start in 0...(pending.count - needle.count)
    where pending[start] == needle[0] && Array(pending[start..<start + needle.count]) == needle {
      return start..<start + needle.count
    }
    return nil
  }

  private func fill() throws -> Bool {
    var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else { return false }
    pending += buffer[..<count]
    return true
  }
}
