import Foundation
import Testing

/// Programs of others that the tests need: python3, curl, openssl.
enum Tool {
  struct Result {
    let status: Int32
    let output: [UInt8]
    let errors: String
    var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// The folder of the package.
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// Runs a program of the search path to its end. Output goes through files, so that no pipe can fill.
  static func run(
    _ command: [String], environment: [String: String] = [:], in folder: TemporaryFolder
  ) throws -> Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    // Some leave files where they run.
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let name = folder.path + "/" + UUID().uuidString
    for suffix in [".out", ".err"] {
      _ = FileManager.default.createFile(atPath: name + suffix, contents: nil)
    }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: name + ".out"))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: name + ".err"))
    try process.run()
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus,
      output: [UInt8](try Data(contentsOf: URL(fileURLWithPath: name + ".out"))),
      errors: try String(contentsOfFile: name + ".err", encoding: .utf8))
  }

  /// What a script prints that may use pyarrow and DuckDB.
  static func python(_ script: String, _ arguments: [String], in folder: TemporaryFolder) throws -> String {
    let file = folder.path + "/script.py"
    try script.write(toFile: file, atomically: true, encoding: .utf8)
    let packages = ProcessInfo.processInfo.environment["CORDWOOD_PYTHONPATH"] ?? root + "/.deps/python"
    let result = try run(["python3", file] + arguments, environment: ["PYTHONPATH": packages], in: folder)
    #expect(result.status == 0, "python failed; run scripts/python-tools first: \(result.errors)")
    return result.text
  }
}
