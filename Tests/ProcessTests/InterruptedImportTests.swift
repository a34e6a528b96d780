import Foundation
import Testing

extension ProcessSuite {
  /// `cordwood import` and its server killed in turn, at any moment.
  @Suite struct InterruptedImportTests {
    @Test func eachLineIsStoredOnceAndInOrder() throws {
      let folder = try TemporaryFolder()
      let path = folder.path + "/a.log"
      let count = 60_000
      let lines = (0..<count).map { "line \($0)\n" }.joined()
      try Data(lines.utf8).write(to: URL(fileURLWithPath: path))
      let data = folder.path + "/data"
      var server = try ServerProcess(data: data)
      for round in 0..<8 {
        let process = try start(path, on: server)
        let goal = min((round + 1) * 5_000, count)
        while process.isRunning, try stored(on: server) < goal {}
        if round % 2 == 0 {
          kill(process.processIdentifier, SIGKILL)
          process.waitUntilExit()
        } else {
          server.kill()
          kill(process.processIdentifier, SIGKILL)
          process.waitUntilExit()
          server = try ServerProcess(data: data)
        }
      }
      let last = try start(path, on: server)
      last.waitUntilExit()
      #expect(last.terminationStatus == 0)
      let messages = try server.query([
        "dataset": "logs", "columns": ["message"], "order": "asc", "limit": count + 10_000,
      ]).compactMap { $0["message"] as? String }
      #expect(messages.count == count)
      #expect(messages == (0..<count).map { "line \($0)" })
      #expect(server.stop() == 0)
    }

    private func stored(on server: ServerProcess) throws -> Int {
      try server.query(["dataset": "logs", "measures": ["count"]])[0]["count"] as? Int ?? 0
    }

    private func start(_ path: String, on server: ServerProcess) throws -> Process {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Program.path)
      process.arguments = [
        "import", path, "--url", server.url, "--batch-bytes", "4096", "--quiet", "--service", "x",
      ]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      try process.run()
      return process
    }
  }
}
