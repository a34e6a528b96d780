// cordwood-live: writes to the query log while subscribers listen, and prints one line of JSON.
//
//   cordwood-live --port P --subscribers N --users G --rate R --seconds S [--stalled K] [--connections C]
//   cordwood-live --port P --mode verify --connections C --seconds S
//
// N WebSockets follow one user each of G; R records a second, of users in turn, are written over C
// connections, or as many as the server takes with --rate 0. K of the subscribers read nothing. A record's
// text is its number, so that each frame's delay from its record's acknowledgement is known. --mode verify
// asks for the verification of records written before, as fast as they are answered.
import Client
import Glibc

var options: [String: String] = [:]
var arguments = Array(CommandLine.arguments.dropFirst())
while arguments.count > 1 { options[String(arguments.removeFirst().dropFirst(2))] = arguments.removeFirst() }
guard let port = UInt16(options["port"] ?? "") else {
  fail("usage: cordwood-live --port P --subscribers N --users G --rate R --seconds S")
}
@MainActor func number(_ name: String, _ fallback: Int) -> Int { Int(options[name] ?? "") ?? fallback }
let seconds = number("seconds", 10)
let rate = number("rate", 1_000)
let users = number("users", 20)
let subscribers = number("subscribers", 1_000)
let stalled = number("stalled", 0)
let connections = number("connections", 8)

@Sendable func request(
  _ connection: Connection, _ method: String, _ path: String, _ body: String, _ token: String = ""
)
  -> Int
{
  let credential = token.isEmpty ? "" : "Authorization: Bearer \(token)\r\n"
  connection.send(
    "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\n\(credential)Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
  )
  return connection.receive()
}

/// The text between `before` and the next quote.
func member(_ text: String, _ before: String) -> String {
  guard let start = text.range(of: before) else { fail("no \(before) in \(text)") }
  return String(text[start.upperBound...].prefix { $0 != "\"" })
}

extension String {
  func range(of needle: String) -> Range<String.Index>? {
    var at = startIndex
    while at < endIndex {
      if self[at...].hasPrefix(needle) { return at..<index(at, offsetBy: needle.count) }
      at = index(after: at)
    }
    return nil
  }
}

func run(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) -> [pthread_t] {
  (0..<count).map { index in
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box { body(index) })
    pthread_create(
      &thread, nil,
      { pointer in
        guard let pointer else { return nil }
        Unmanaged<Box>.fromOpaque(pointer).takeRetainedValue().body()
        return nil
      }, box.toOpaque())
    return thread
  }
}

final class Box: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// Times by record number: 0 while not acknowledged. Written by one thread each, read behind the end.
final class Times: @unchecked Sendable {
  // Safe because: each cell has one writer, and a machine word is read whole.
  let cells: UnsafeMutablePointer<Int>
  let count: Int
  init(_ count: Int) {
    self.count = count
    cells = .allocate(capacity: count)
    cells.initialize(repeating: 0, count: count)
  }
}

let login = Connection(port: port)
let tokens = (0..<users).map { user in
  guard request(login, "POST", "/api/v1/login", "{\"user_id\":\"u\(user)\"}") == 200 else {
    fail("no login: \(login.text)")
  }
  return member(login.text, "\"access_token\":\"")
}

func percentile(_ values: [Int], _ part: Double) -> Double {
  values.isEmpty ? 0 : Double(values[min(values.count - 1, Int(Double(values.count) * part))]) / 1e6
}

if options["mode"] == "verify" {
  let ids = (0..<1_000).map { index in
    _ = request(login, "PUT", "/api/v1/logs", "{\"query\":\"v\(index)\",\"status\":\"OK\"}", tokens[0])
    return member(login.text, "\"id\":\"")
  }
  if options["archive"] == "1" {
    guard request(login, "POST", "/v1/admin/flush", "{\"archive\":true}") == 200 else { fail(login.text) }
  }
  let end = nanoseconds() + seconds * 1_000_000_000
  let counts = Times(connections)
  let threads = run(connections) { index in
    let connection = Connection(port: port)
    var next = index
    while nanoseconds() < end {
      guard request(connection, "GET", "/api/v1/verify/\(ids[next % ids.count])", "") == 200,
        connection.text.hasSuffix("\"error\":null}}")
      else { fail("not verified: \(connection.text)") }
      next += 1
      counts.cells[index] += 1
    }
  }
  for thread in threads { pthread_join(thread, nil) }
  let total = (0..<connections).reduce(0) { $0 + counts.cells[$1] }
  print("{\"verified\":\(total),\"per_second\":\(total / seconds)}")
  exit(0)
}

let recordsMax = rate > 0 ? rate * (seconds + 2) : 40_000 * (seconds + 2)
let acknowledged = Times(recordsMax)

func subscribe(user: Int) -> Connection {
  let connection = Connection(port: port)
  connection.send(
    "GET /ws/stream?user_id=u\(user) HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
  guard connection.receive() == 101 else { fail("no WebSocket: \(connection.text)") }
  return connection
}

/// One subscriber's bytes, and what came out of them.
struct Reader {
  let connection: Connection
  var bytes: [UInt8] = []
  var frames = 0
  var dropped = 0

  /// Whole frames of what has come; the numbers of their records.
  mutating func take(_ piece: UnsafeRawBufferPointer, _ found: (Int) -> Void) {
    bytes.append(contentsOf: piece)
    var at = 0
    while bytes.count - at >= 2 {
      var head = 2
      var length = Int(bytes[at + 1] & 0x7F)
      if length == 126 {
        guard bytes.count - at >= 4 else { break }
        length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
        head = 4
      }
      guard length < 127 || head == 4, bytes.count - at >= head + length else { break }
      let payload = bytes[(at + head)..<(at + head + length)]
      if bytes[at] == 0x81 { note(payload, found) }
      // A pong: masked, as all that clients send.
      if bytes[at] == 0x89 { _ = write(connection.socket, [0x8A, 0x80, 0, 0, 0, 0] as [UInt8], 6) }
      at += head + length
    }
    bytes.removeFirst(at)
  }

  private mutating func note(_ payload: ArraySlice<UInt8>, _ found: (Int) -> Void) {
    let mark = Array("\"query\":\"".utf8)
    let start = payload.startIndex
    // The id and the user come before it.
    for at in start..<max(start, payload.endIndex - mark.count) where payload[at] == mark[0] {
      guard payload[at..<at + mark.count].elementsEqual(mark) else { continue }
      var number = 0
      for byte in payload[(at + mark.count)...] {
        guard byte >= 48, byte <= 57 else { break }
        number = number * 10 + Int(byte - 48)
      }
      frames += 1
      found(number)
      return
    }
    if payload.starts(with: Array("{\"type\":\"dropped\"".utf8)) { dropped += 1 }
  }
}

/// They are open, and nobody reads them.
var idle: [Connection] = []
var readers: [Reader] = []
for index in 0..<subscribers {
  let connection = subscribe(user: index % users)
  if index < stalled { idle.append(connection) } else { readers.append(Reader(connection: connection)) }
}
var polled = readers.map { pollfd(fd: $0.connection.socket, events: Int16(POLLIN), revents: 0) }

let begin = nanoseconds()
let end = begin + seconds * 1_000_000_000
let written = Times(connections)
let latencies = Times(recordsMax)
let writers = run(connections) { index in
  let connection = Connection(port: port)
  var turn = 0
  while true {
    let record = turn * connections + index
    if rate > 0 {
      let due = begin + record * 1_000_000_000 / rate
      let now = nanoseconds()
      if due > now { usleep(UInt32((due - now) / 1_000)) }
    }
    let start = nanoseconds()
    guard start < end, record < recordsMax else { return }
    let status = request(
      connection, "PUT", "/api/v1/logs", "{\"query\":\"\(record)\",\"status\":\"OK\"}", tokens[record % users]
    )
    guard status == 200 else { fail("a write was answered \(connection.text)") }
    acknowledged.cells[record] = nanoseconds()
    latencies.cells[record] = acknowledged.cells[record] - start
    written.cells[index] += 1
    turn += 1
  }
}

var delays: [(record: Int, time: Int)] = []
delays.reserveCapacity(2_000_000)
var piece = [UInt8](repeating: 0, count: 256 * 1024)
/// Until nothing has come for a second behind the end.
var quietSince = end
while nanoseconds() < max(end, quietSince) + 1_000_000_000 {
  guard poll(&polled, nfds_t(polled.count), 100) > 0 else { continue }
  for reader in polled.indices where polled[reader].revents != 0 {
    let got = read(polled[reader].fd, &piece, piece.count)
    guard got > 0 else { fail("a subscriber was closed") }
    let now = nanoseconds()
    piece.withUnsafeBytes { bytes in
      readers[reader].take(UnsafeRawBufferPointer(rebasing: bytes[..<got])) {
        delays.append(($0, now))
        quietSince = now
      }
    }
  }
}
for thread in writers { pthread_join(thread, nil) }

let total = (0..<connections).reduce(0) { $0 + written.cells[$1] }
let after = delays.filter { $0.record < recordsMax && acknowledged.cells[$0.record] > 0 }
  .map { max(0, $0.time - acknowledged.cells[$0.record]) }.sorted()
let answers = (0..<recordsMax).map { latencies.cells[$0] }.filter { $0 > 0 }.sorted()
let dropped = readers.reduce(0) { $0 + $1.dropped }
let values: [(String, String)] = [
  ("written", "\(total)"), ("written_per_second", "\(total / seconds)"), ("frames", "\(delays.count)"),
  ("frames_per_second", "\(delays.count / seconds)"), ("drop_notes", "\(dropped)"),
  ("frame_p50_ms", "\(percentile(after, 0.5))"), ("frame_p99_ms", "\(percentile(after, 0.99))"),
  ("frame_max_ms", "\(percentile(after, 1))"), ("ack_p50_ms", "\(percentile(answers, 0.5))"),
  ("ack_p99_ms", "\(percentile(answers, 0.99))"),
]
print("{" + values.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}")
