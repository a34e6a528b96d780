import ArgumentParser
import Foundation
import Testing

@testable import Commands

/// What `--help` prints, kept as text: a change shows in the review. `SNAPSHOT_UPDATE=1` rewrites the files.
@Suite struct HelpTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
    "Help")

  static func check(_ name: String, _ text: String) throws {
    let file = folder.appendingPathComponent(name + ".txt")
    if ProcessInfo.processInfo.environment["SNAPSHOT_UPDATE"] == "1" {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try text.write(to: file, atomically: true, encoding: .utf8)
    }
    #expect(try String(contentsOf: file, encoding: .utf8) == text, "\(name) --help")
  }

  @Test func helpIsAsReviewed() throws {
    try HelpTests.check("cordwood", CordwoodCommand.helpMessage(columns: 110))
    for command in CordwoodCommand.configuration.subcommands {
      let name = command.configuration.commandName ?? ""
      let text = CordwoodCommand.helpMessage(for: command, columns: 110)
      try HelpTests.check("cordwood-\(name)", text)
      #expect(text.contains("Examples:"), "\(name) shows examples")
    }
  }

  @Test func wrongArgumentsAreRefused() {
    let wrong: [[String]] = [
      ["nothing"], ["import"], ["import", "a", "--dataset", "none"], ["import", "a", "--batch-bytes", "0"],
      ["query", "--order", "up"], ["query", "--format", "xml"], ["serve", "--port", "many"], ["check"],
    ]
    for arguments in wrong {
      #expect(throws: (any Error).self, "\(arguments)") { try CordwoodCommand.parseAsRoot(arguments) }
    }
  }

  @Test func theVersionIsShown() {
    #expect(CordwoodCommand.configuration.version.hasPrefix("cordwood "))
  }
}
