// cordwood-load: sends prepared log records as fast as a server takes them and prints one line of JSON.
//
//   cordwood-load FILE.jsonl --port P --connections C --rows R [--requests N] [--keys K1,K2,…]
//     [--paths /v1/records/logs,… | --paths-from FILE] [--wrap logs]
//
// Each connection sends R lines of FILE a request and waits for the answer. With several keys request i uses
// key i modulo their count, so that each request belongs to one tenant; likewise with several paths.
// --paths-from names a file with a path a line. --wrap logs sends the lines as {"logs":[line,line,…]} instead
// of as they are. A connection's first request is measured from before the connection is made.
import Client
import Glibc

var file = ""
var options: [String: String] = [:]
var arguments = Array(CommandLine.arguments.dropFirst())
while !arguments.isEmpty {
  let word = arguments.removeFirst()
  if word.hasPrefix("--"), !arguments.isEmpty {
    options[String(word.dropFirst(2))] = arguments.removeFirst()
  } else {
    file = word
  }
}
guard !file.isEmpty, let port = UInt16(options["port"] ?? "") else {
  fail(
    "usage: cordwood-load FILE.jsonl --port P --connections C --rows R [--requests N] [--keys K1,K2] "
      + "[--paths P1,P2 | --paths-from FILE] [--wrap MEMBER]"
  )
}
let connections = Int(options["connections"] ?? "") ?? 4
let rows = Int(options["rows"] ?? "") ?? 1000
let keys = (options["keys"] ?? "").split(separator: ",").map(String.init)
let wrap = options["wrap"]
let paths =
  options["paths-from"].map { path in
    map(path).split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
  } ?? (options["paths"] ?? "/v1/records/logs").split(separator: ",").map(String.init)

/// The requests: ranges of whole lines of the mapped file.
struct Workload: @unchecked Sendable {
  // Safe because: nobody writes to the mapping once this is made, and it lives as long as the process.
  let bytes: UnsafeRawBufferPointer
  let bodies: [Range<Int>]
  /// What comes before and after each body's lines.
  let opening: [UInt8]
  let closing: [UInt8]
}

/// A file in memory, for good; what is written there stays there.
func map(_ path: String) -> UnsafeMutableRawBufferPointer {
  let descriptor = open(path, O_RDONLY)
  guard descriptor >= 0 else { fail("cannot open \(path)") }
  let size = Int(lseek(descriptor, 0, SEEK_END))
  let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0)
  guard let base, base != MAP_FAILED else { fail("cannot map \(path)") }
  return UnsafeMutableRawBufferPointer(start: base, count: size)
}

func load(_ path: String, rows: Int, requests: Int, wrap: String?) -> Workload {
  let bytes = map(path)
  let size = bytes.count
  guard let base = bytes.baseAddress else { fail("\(path) is empty") }
  var bodies: [Range<Int>] = []
  var start = 0
  var at = 0
  var lines = 0
  while at < size, bodies.count < requests {
    guard let newline = memchr(base + at, 10, size - at) else { break }
    at = base.distance(to: newline) + 1
    lines += 1
    if lines == rows {
      bodies.append(start..<at)
      start = at
      lines = 0
    } else if wrap != nil, at < size {
      bytes[at - 1] = UInt8(ascii: ",")
    }
  }
  if lines > 0, bodies.count < requests {
    if wrap != nil { bytes[at - 1] = 10 }
    bodies.append(start..<at)
  }
  return Workload(
    bytes: UnsafeRawBufferPointer(bytes), bodies: bodies,
    opening: wrap.map { Array("{\"\($0)\":[".utf8) } ?? [],
    closing: wrap == nil ? [] : Array("]}".utf8))
}

let work = load(file, rows: rows, requests: Int(options["requests"] ?? "") ?? Int.max, wrap: wrap)
let type = wrap == nil ? "application/x-ndjson" : "application/json"
let starts = paths.map { path in
  Array("POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: \(type)\r\n".utf8)
}
let credentials = (keys.isEmpty ? [""] : keys).map { key in
  Array("\(key.isEmpty ? "" : "Authorization: Bearer \(key)\r\n")Content-Length: ".utf8)
}

final class Worker: @unchecked Sendable {
  // Safe because: one thread works on it, and it is read after that thread was joined.
  let index: Int
  var latencies: [Int] = []
  var failures: [Int: Int] = [:]

  init(index: Int) { self.index = index }

  func run(work: Workload, starts: [[UInt8]], credentials: [[UInt8]], connections: Int, port: UInt16) {
    // The first answer waits for the connection as well.
    var start = nanoseconds()
    let connection = Connection(port: port)
    var next = index
    while next < work.bodies.count {
      let range = work.bodies[next]
      let length = work.opening.count + range.count + work.closing.count
      let head =
        starts[next % starts.count] + credentials[next % credentials.count] + Array("\(length)\r\n\r\n".utf8)
      connection.send(head + work.opening, UnsafeRawBufferPointer(rebasing: work.bytes[range]), work.closing)
      let status = connection.receive()
      latencies.append(nanoseconds() - start)
      start = nanoseconds()
      if status != 200, status != 201 { failures[status, default: 0] += 1 }
      next += connections
    }
  }
}

let workers = (0..<connections).map(Worker.init)
let started = nanoseconds()
var threads: [pthread_t] = []
for worker in workers {
  let box = Unmanaged.passRetained(
    // Captured by value: the globals of this file belong to the main thread.
    Box { [work, starts, credentials, connections, port] in
      worker.run(work: work, starts: starts, credentials: credentials, connections: connections, port: port)
    })
  var thread = pthread_t()
  pthread_create(&thread, nil, runBox, box.toOpaque())
  threads.append(thread)
}
for thread in threads { pthread_join(thread, nil) }
let seconds = Double(nanoseconds() - started) / 1e9

final class Box: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

nonisolated func runBox(_ box: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  box.map { Unmanaged<Box>.fromOpaque($0).takeRetainedValue().body() }
  return nil
}

let latencies = workers.flatMap(\.latencies).sorted()
func percentile(_ share: Double) -> Double {
  latencies.isEmpty
    ? 0 : Double(latencies[min(latencies.count - 1, Int(Double(latencies.count) * share))]) / 1e6
}
let failures = workers.reduce(into: [Int: Int]()) { $0.merge($1.failures, uniquingKeysWith: +) }
let failed = failures.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
print(
  "{\"started\":\(Double(started) / 1e9),\"requests\":\(latencies.count),\"seconds\":\(seconds),\"requests_per_second\":\(Double(latencies.count) / seconds),"
    + "\"p50_ms\":\(percentile(0.5)),\"p95_ms\":\(percentile(0.95)),\"p99_ms\":\(percentile(0.99)),"
    + "\"max_ms\":\(percentile(1)),\"failures\":{\(failed)}}")
