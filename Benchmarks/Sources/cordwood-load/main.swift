// cordwood-load: sends prepared log records as fast as a server takes them and prints one line of JSON.
//
//   cordwood-load FILE.jsonl --port P --connections C --rows R [--requests N] [--keys K1,K2,…] [--path /v1/records/logs]
//
// Each connection sends R lines of FILE a request and waits for the answer. With several keys request i uses key
// i modulo their count, so that each request belongs to one tenant.
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
    "usage: cordwood-load FILE.jsonl --port P --connections C --rows R [--requests N] [--keys K1,K2] [--path PATH]"
  )
}
let connections = Int(options["connections"] ?? "") ?? 4
let rows = Int(options["rows"] ?? "") ?? 1000
let keys = (options["keys"] ?? "").split(separator: ",").map(String.init)
let path = options["path"] ?? "/v1/records/logs"

/// The requests: ranges of whole lines of the mapped file.
struct Workload: @unchecked Sendable {
  // Safe because: the mapping is read-only and lives as long as the process.
  let bytes: UnsafeRawBufferPointer
  let bodies: [Range<Int>]
}

func load(_ path: String, rows: Int, requests: Int) -> Workload {
  let descriptor = open(path, O_RDONLY)
  guard descriptor >= 0 else { fail("cannot open \(path)") }
  let size = Int(lseek(descriptor, 0, SEEK_END))
  guard let base = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
    fail("cannot map \(path)")
  }
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
    }
  }
  if lines > 0, bodies.count < requests { bodies.append(start..<at) }
  return Workload(bytes: UnsafeRawBufferPointer(start: base, count: size), bodies: bodies)
}

let work = load(file, rows: rows, requests: Int(options["requests"] ?? "") ?? Int.max)
let heads: [[UInt8]] = (keys.isEmpty ? [""] : keys).map { key in
  let authorization = key.isEmpty ? "" : "Authorization: Bearer \(key)\r\n"
  return Array(
    "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n\(authorization)Content-Length: "
      .utf8)
}

final class Worker: @unchecked Sendable {
  // Safe because: one thread works on it, and it is read after that thread was joined.
  let index: Int
  var latencies: [Int] = []
  var failures: [Int: Int] = [:]

  init(index: Int) { self.index = index }

  func run(work: Workload, heads: [[UInt8]], connections: Int, port: UInt16) {
    let connection = Connection(port: port)
    var next = index
    while next < work.bodies.count {
      let range = work.bodies[next]
      let head = heads[next % heads.count] + Array("\(range.count)\r\n\r\n".utf8)
      let start = nanoseconds()
      connection.send(head, UnsafeRawBufferPointer(rebasing: work.bytes[range]))
      let status = connection.receive()
      latencies.append(nanoseconds() - start)
      if status != 201 { failures[status, default: 0] += 1 }
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
    Box { [work, heads, connections, port] in
      worker.run(work: work, heads: heads, connections: connections, port: port)
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
  "{\"requests\":\(latencies.count),\"seconds\":\(seconds),\"requests_per_second\":\(Double(latencies.count) / seconds),"
    + "\"p50_ms\":\(percentile(0.5)),\"p95_ms\":\(percentile(0.95)),\"p99_ms\":\(percentile(0.99)),"
    + "\"max_ms\":\(percentile(1)),\"failures\":{\(failed)}}")
