import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// A Loki that does what it is told: answers `/ready` and `/loki/api/v1/push`, and keeps what was pushed.
final class LokiStandIn: @unchecked Sendable {
  // Safe because: all state is behind the condition; the descriptor is constant.
  struct Push {
    let headers: [String: String]
    let body: [UInt8]
  }

  let port: Int
  private let descriptor: Int32
  private let condition = NSCondition()
  private var pushes: [Push] = []
  private var readyStatus = 200
  /// What each push is answered with, given its body.
  private var answer: @Sendable ([UInt8]) -> (Int, String) = { _ in (204, "") }
  private var isClosed = false

  init() throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0
          && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound else { throw WireError.refused }
    port = Int(UInt16(bigEndian: address.sin_port))
    let thread = Thread { [weak self] in
      while true {
        let connection = accept(descriptor, nil, nil)
        guard connection >= 0 else { return }
        Thread { [weak self] in self?.serve(connection) }.start()
      }
    }
    thread.start()
  }

  deinit { close(descriptor) }

  var url: String { "http://127.0.0.1:\(port)" }

  func set(ready: Int) {
    condition.lock()
    readyStatus = ready
    condition.unlock()
  }

  func answerPushes(_ answer: @escaping @Sendable ([UInt8]) -> (Int, String)) {
    condition.lock()
    self.answer = answer
    condition.unlock()
  }

  /// What was pushed and accepted so far.
  var accepted: [Push] {
    condition.lock()
    defer { condition.unlock() }
    return pushes
  }

  private func serve(_ connection: Int32) {
    defer { close(connection) }
    var pending: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      while true {
        if let request = LokiStandIn.take(&pending) {
          reply(to: request, on: connection)
          continue
        }
        break
      }
      let count = read(connection, &buffer, buffer.count)
      guard count > 0 else { return }
      pending += buffer[..<count]
    }
  }

  private static func take(_ pending: inout [UInt8]) -> (path: String, push: Push)? {
    guard let end = Data(pending).range(of: Data([13, 10, 13, 10])) else { return nil }
    let lines = String(decoding: pending[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(
        in: .whitespaces)
    }
    let length = Int(headers["content-length"] ?? "0") ?? 0
    guard pending.count >= end.upperBound + length else { return nil }
    let body = Array(pending[end.upperBound..<end.upperBound + length])
    pending.removeFirst(end.upperBound + length)
    let words = (lines.first ?? "").split(separator: " ")
    return (words.count > 1 ? String(words[1]) : "", Push(headers: headers, body: body))
  }

  private func reply(to request: (path: String, push: Push), on connection: Int32) {
    condition.lock()
    let (ready, answer) = (readyStatus, answer)
    condition.unlock()
    var (status, text) = request.path == "/ready" ? (ready, "ready") : answer(request.push.body)
    if request.path != "/ready", status == 204 {
      condition.lock()
      pushes.append(request.push)
      condition.unlock()
    }
    if status == 0 { (status, text) = (500, "") }
    let body = status == 204 ? "" : text
    let head =
      "HTTP/1.1 \(status) X\r\n" + (status == 204 ? "" : "Content-Length: \(body.utf8.count)\r\n") + "\r\n"
    let bytes = Array((head + body).utf8)
    _ = bytes.withUnsafeBytes { send(connection, $0.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)) }
  }
}
