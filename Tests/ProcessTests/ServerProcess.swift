import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// A folder that goes when the test ends.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "cordwood-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// The real program. The release build if `CORDWOOD_BINARY` names one (as `make test` does), else the debug
/// build beside the tests.
enum Program {
  static let path: String = {
    if let named = ProcessInfo.processInfo.environment["CORDWOOD_BINARY"] { return named }
    return Bundle.main.executableURL?.deletingLastPathComponent().appendingPathComponent("cordwood").path
      ?? ".build/debug/cordwood"
  }()

  struct Result {
    let status: Int32
    let output: [UInt8]
    let errors: String
    var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// Runs the program to its end. Output goes through files, so that no pipe can fill.
  static func run(
    _ arguments: [String], input: String? = nil, environment: [String: String] = [:],
    in folder: TemporaryFolder
  ) throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let name = folder.path + "/" + UUID().uuidString
    for suffix in [".out", ".err"] {
      _ = FileManager.default.createFile(atPath: name + suffix, contents: nil)
    }
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: name + ".out"))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: name + ".err"))
    if let input {
      try Data(input.utf8).write(to: URL(fileURLWithPath: name + ".in"))
      process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: name + ".in"))
    } else {
      process.standardInput = FileHandle.nullDevice
    }
    try process.run()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus,
      output: [UInt8](try Data(contentsOf: URL(fileURLWithPath: name + ".out"))),
      errors: try String(contentsOfFile: name + ".err", encoding: .utf8))
  }
}

extension Program {
  /// `cordwood check` finds no damage in the data directory of a server that stopped.
  static func expectSound(
    _ data: String, in folder: TemporaryFolder, location: SourceLocation = #_sourceLocation
  ) throws {
    let result = try run(["check", data], in: folder)
    #expect(result.status == 0, "\(result.text) \(result.errors)", sourceLocation: location)
    #expect(result.text.hasSuffix(": sound\n"), "\(result.text)", sourceLocation: location)
  }
}

/// Collects what a process prints and tells when the first line that names the address has come.
private final class LogReader: @unchecked Sendable {
  // Safe because: all state is behind the condition.
  private let condition = NSCondition()
  private var text = ""
  private var ended = false

  func follow(_ handle: FileHandle) {
    let thread = Thread {
      while true {
        let data = handle.availableData
        self.condition.lock()
        self.text += String(decoding: data, as: UTF8.self)
        self.ended = data.isEmpty
        self.condition.broadcast()
        self.condition.unlock()
        if data.isEmpty { return }
      }
    }
    thread.start()
  }

  var log: String {
    condition.lock()
    defer { condition.unlock() }
    return text
  }

  /// The ports of the first log line, which names every address.
  func waitForPorts() throws -> [Int] {
    condition.lock()
    defer { condition.unlock() }
    while true {
      if let line = text.range(of: "listening on [^\n]*\n", options: .regularExpression) {
        let parts = text[line].components(separatedBy: "127.0.0.1:").dropFirst()
        return parts.compactMap { Int($0.prefix { $0.isNumber }) }
      }
      if ended { throw WireError.malformed("the server stopped: " + text) }
      guard condition.wait(until: Date().addingTimeInterval(60)) else {
        throw WireError.malformed("no port within 60 s: " + text)
      }
    }
  }

  /// Returns when the process has closed both streams, so that all it said is here.
  func waitForEnd(until deadline: Date) {
    condition.lock()
    defer { condition.unlock() }
    while !ended { guard condition.wait(until: deadline) else { return } }
  }

  func wait(for needle: String, count: Int, until deadline: Date) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    while text.components(separatedBy: needle).count <= count {
      guard !ended, condition.wait(until: deadline) else { return false }
    }
    return true
  }
}

/// One run of `cordwood serve` on a free port.
final class ServerProcess: @unchecked Sendable {
  // Safe because: constant after init; Process is only signalled and waited for.
  /// The first is that of `--port`, then those of each `--extra-port`.
  let ports: [Int]
  private let process: Process
  private let reader = LogReader()

  var port: Int { ports[0] }
  var url: String { "http://127.0.0.1:\(port)" }
  var log: String { reader.log }
  var processID: Int32 { process.processIdentifier }

  /// - Parameter launcher: What starts the program, as found in `PATH`: a tracer. The process must be the
  ///   program's own.
  init(
    data: String, arguments: [String] = [], environment: [String: String] = [:], launcher: [String] = []
  ) throws {
    process = Process()
    process.executableURL = URL(fileURLWithPath: launcher.isEmpty ? Program.path : "/usr/bin/env")
    // Whether the machine's disk is nearly full is none of the tests' business.
    let own = ["CORDWOOD_HEALTH_DISK_FREE_RATIO": "0"].merging(environment) { $1 }
    process.environment = ProcessInfo.processInfo.environment.merging(own) { $1 }
    let start = launcher.isEmpty ? [] : launcher + [Program.path]
    process.arguments = start + ["serve", "--data-dir", data, "--port", "0"] + arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    reader.follow(pipe.fileHandleForReading)
    ports = try reader.waitForPorts()
    guard !ports.isEmpty else { throw WireError.malformed("no port in: " + reader.log) }
  }

  deinit {
    if process.isRunning {
      process.terminate()
      process.waitUntilExit()
    }
  }

  func kill() {
    Glibc.kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  /// SIGTERM; returns the exit status. All that the server said is in ``log`` then.
  func stop() -> Int32 {
    process.terminate()
    process.waitUntilExit()
    reader.waitForEnd(until: Date().addingTimeInterval(60))
    return process.terminationStatus
  }

  /// SIGTERM; the exit status, or nil if it took longer and the process had to be killed.
  func stop(withinSeconds seconds: Double) -> Int32? {
    process.terminate()
    let deadline = Date().addingTimeInterval(seconds)
    while process.isRunning, Date() < deadline { Thread.sleep(forTimeInterval: 0.01) }
    guard !process.isRunning else {
      kill()
      return nil
    }
    return process.terminationStatus
  }

  /// Whether the log has `needle` so often within a minute. Lines about who got in come from a thread of
  /// their own, so they may be later than the answer.
  func logs(_ needle: String, atLeast count: Int = 1) -> Bool {
    reader.wait(for: needle, count: count, until: Date().addingTimeInterval(60))
  }

  @discardableResult
  func request(
    _ method: String, _ path: String, headers: [String: String] = [:], body: String = ""
  ) throws -> HTTPAnswer {
    try HTTPConnection(port: port).request(method, path, headers: headers, body: Array(body.utf8))
  }

  /// Runs a native query and gives its rows (NDJSON) as dictionaries.
  func query(_ body: [String: Any]) throws -> [[String: Any]] {
    let json = try JSONSerialization.data(withJSONObject: body)
    let answer = try HTTPConnection(port: port).request(
      "POST", "/v1/query",
      headers: ["Content-Type": "application/json", "Accept": "application/x-ndjson"], body: [UInt8](json))
    guard answer.status == 200, answer.isComplete else {
      throw WireError.malformed("\(answer.status): \(answer.text)")
    }
    return try answer.body.split(separator: 10).map { line in
      try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any] ?? [:]
    }
  }

  /// - Parameter headers: The credential of an administrator, where one is needed.
  func archive(as headers: [String: String] = [:]) throws {
    let answer = try request(
      "POST", "/v1/admin/flush", headers: headers.merging(["Content-Type": "application/json"]) { $1 },
      body: "{\"archive\":true}")
    guard answer.status == 200 else { throw WireError.malformed("flush: \(answer.status) \(answer.text)") }
  }
}
