import Foundation
import Testing

extension ProcessSuite {
  /// Real logs of 16 systems in, equal line by line out: from the head, from blocks, after a restart, after
  /// kill -9.
  @Suite struct LoghubTests {
    static let folder: String? = {
      let path =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/../shared/data/loghub"
      return FileManager.default.fileExists(atPath: path) ? path : nil
    }()

    struct System {
      let name: String
      let path: String
      /// Lines as they are in the file, without line ends.
      let lines: [[UInt8]]

      init(path: String) throws {
        self.path = path
        name = URL(fileURLWithPath: path).lastPathComponent.replacingOccurrences(of: "_2k.log", with: "")
        var rest = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))[...]
        if rest.last == 10 { rest.removeLast() }
        lines = rest.split(separator: 10, omittingEmptySubsequences: false).map { line in
          line.last == 13 ? Array(line.dropLast()) : Array(line)
        }
      }
    }

    /// The samples beside the checkout, or lines made here that hold what is hard about them.
    static func systems(in folder: TemporaryFolder) throws -> [System] {
      guard let shared = LoghubTests.folder else {
        let lines: [[UInt8]] = [
          Array("plain line 1 of node-7: took 12.5 ms".utf8), [0xFF, 0xFE, 0x41], [],
          Array("tab\tand \"quotes\" \\".utf8),
          Array("größer €\u{1F600}".utf8), [0xE2, 0x82], Array("ends with CR".utf8) + [13],
        ]
        return try ["Alpha", "Beta"].map { name in
          let path = folder.path + "/\(name)_2k.log"
          let text: [UInt8] = (0..<500).flatMap { lines[$0 % lines.count] + [10] }
          try Data(text).write(to: URL(fileURLWithPath: path))
          return try System(path: path)
        }
      }
      return try FileManager.default.contentsOfDirectory(atPath: shared).filter { $0.hasSuffix(".log") }
        .sorted()
        .map { try System(path: shared + "/" + $0) }
    }

    @Test func everyLineComesBackEqual() throws {
      let folder = try TemporaryFolder()
      let systems = try LoghubTests.systems(in: folder)
      let data = folder.path + "/data"
      var server = try ServerProcess(data: data)
      for system in systems {
        let result = try Program.run(
          ["import", system.path, "--url", server.url, "--service", system.name, "--format", "text"],
          environment: ["HOME": folder.path], in: folder)
        #expect(result.status == 0, "\(system.name): \(result.errors)")
      }
      try compare(systems, on: server)
      try server.archive()
      try compare(systems, on: server)
      try compareCounts(systems, on: server)
      #expect(server.stop() == 0)
      server = try ServerProcess(data: data)
      try compare(systems, on: server)
      server.kill()
      server = try ServerProcess(data: data)
      try compare(systems, on: server)
      // Importing again changes nothing: the server knows how far it has come.
      let again = try Program.run(
        ["import", systems[0].path, "--url", server.url, "--service", systems[0].name, "--format", "text"],
        environment: ["HOME": folder.path], in: folder)
      #expect(again.status == 0, "\(again.errors)")
      try compare([systems[0]], on: server)
      #expect(server.stop() == 0)
      try Program.expectSound(data, in: folder)
    }

    /// A pipe that stays open: what was written so far is sent, and the rest when it comes.
    @Test func aLivePipeIsSentAsItComes() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      let process = Process()
      process.executableURL = URL(fileURLWithPath: Program.path)
      process.arguments = ["import", "-", "--service", "live", "--url", server.url]
      process.standardOutput = FileHandle.nullDevice
      process.standardError = FileHandle.nullDevice
      let pipe = Pipe()
      process.standardInput = pipe
      try process.run()
      func messages() throws -> [String] {
        try server.query(["dataset": "logs", "columns": ["message"], "order": "asc", "limit": 10])
          .compactMap { $0["message"] as? String }
      }
      try pipe.fileHandleForWriting.write(contentsOf: Data("one\ntwo\nunfini".utf8))
      // Polls the store itself; a program that waited for more would never get there.
      let deadline = Date().addingTimeInterval(30)
      while try messages().count < 2, Date() < deadline {}
      #expect(try messages() == ["one", "two"])
      try pipe.fileHandleForWriting.write(contentsOf: Data("shed\nno line end".utf8))
      try pipe.fileHandleForWriting.close()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      #expect(try messages() == ["one", "two", "unfinished", "no line end"])
      #expect(server.stop() == 0)
    }

    private func compare(_ systems: [System], on server: ServerProcess) throws {
      for system in systems {
        let rows = try server.query([
          "dataset": "logs", "where": ["eq": ["service", system.name]], "columns": ["message"],
          "order": "asc",
          "limit": 1_000_000,
        ])
        #expect(rows.count == system.lines.count, "\(system.name): the number of lines")
        let wrong = zip(rows, system.lines).first { row, line in
          row["message"] as? String != String(decoding: line, as: UTF8.self)
        }
        #expect(wrong == nil, "\(system.name): \(String(describing: wrong?.0))")
      }
    }

    /// `contains` counts what `LC_ALL=C grep -a -c -F` counts, for needles cut from real lines at any place.
    private func compareCounts(_ systems: [System], on server: ServerProcess) throws {
      var generator = SplitMix(state: 11)
      for system in systems {
        for _ in 0..<12 {
          let line = system.lines.randomElement(using: &generator) ?? []
          guard line.count > 4, line.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { continue }
          let length = Int.random(in: 1...min(24, line.count), using: &generator)
          let start = Int.random(in: 0...(line.count - length), using: &generator)
          let needle = String(decoding: line[start..<start + length], as: UTF8.self)
          let counted = try server.query([
            "dataset": "logs", "measures": ["count"],
            "where": ["and": [["eq": ["service", system.name]], ["contains": ["message", needle]]]],
          ])
          #expect(
            counted[0]["count"] as? Int == (try grepCount(needle, in: system.path)),
            "\(system.name): \"\(needle)\"")
        }
      }
    }

    private func grepCount(_ needle: String, in path: String) throws -> Int {
      let grep = Process()
      grep.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      grep.arguments = ["LC_ALL=C", "grep", "-a", "-c", "-F", "-e", needle, path]
      let pipe = Pipe()
      grep.standardOutput = pipe
      try grep.run()
      let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      grep.waitUntilExit()
      return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1
    }
  }
}

/// A small seeded generator, so that a failure can be replayed.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
