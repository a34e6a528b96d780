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
    try HelpTests.check("cordwood", CordwoodCommand.helpMessage(columns: 80))
    for command in CordwoodCommand.configuration.subcommands {
      let name = command.configuration.commandName ?? ""
      let text = CordwoodCommand.helpMessage(for: command, columns: 80)
      try HelpTests.check("cordwood-\(name)", text)
      #expect(text.contains("Examples:"), "\(name) shows examples")
    }
  }

  /// Every command, those in others too.
  static let commands: [any ParsableCommand.Type] = {
    var all: [any ParsableCommand.Type] = [CordwoodCommand.self]
    var index = 0
    while index < all.count {
      all += all[index].configuration.subcommands
      index += 1
    }
    return all
  }()

  @Test func helpWrapsAtWords() {
    #expect(HelpTests.commands.count > 20)
    for command in HelpTests.commands {
      let text = CordwoodCommand.helpMessage(for: command, columns: 80)
      for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(command): \(line)") }
      let wide = CordwoodCommand.helpMessage(for: command, columns: 10_000)
      #expect(text.split { $0.isWhitespace } == wide.split { $0.isWhitespace }, "\(command)")
      for line in command.configuration.discussion.split(separator: "\n") {
        #expect(text.contains("\(line)\n"), "\(command): \(line)")
      }
    }
  }

  /// Whoever pastes an example has a command: what explains it is a comment.
  @Test func examplesAreWholeCommands() throws {
    var count = 0
    for command in HelpTests.commands {
      for line in command.configuration.discussion.split(separator: "\n") {
        guard let start = line.range(of: "cordwood ")?.upperBound, line.hasPrefix("  ") else { continue }
        let words = HelpTests.words(line[start...])
        #expect(throws: Never.self, "\(line)") { try CordwoodCommand.parseAsRoot(words) }
        count += 1
      }
    }
    #expect(count > 60)
  }

  /// The words of a shell's command up to a comment, a redirection, or another command.
  private static func words(_ text: Substring) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: Character?
    for character in text {
      switch character {
      case "'" where quote == nil: (quote, word) = ("'", word ?? "")
      case "'" where quote == "'": quote = nil
      case " " where quote == nil:
        if let word { words.append(word) }
        word = nil
      case "#" where quote == nil && word == nil, "|" where quote == nil, ">" where quote == nil,
        "<" where quote == nil, "&" where quote == nil, ")" where quote == nil:
        return words + (word.map { [$0] } ?? [])
      default: word = (word ?? "") + String(character)
      }
    }
    return words + (word.map { [$0] } ?? [])
  }

  @Test(arguments: CompletionsCommand.Shell.allCases)
  func completionsKnowTheCommands(shell: CompletionsCommand.Shell) {
    let script = CordwoodCommand.completionScript(for: shell.completion)
    for command in CordwoodCommand.configuration.subcommands {
      #expect(script.contains(command.configuration.commandName ?? "?"), "\(shell)")
    }
  }

  @Test func wrongArgumentsAreRefused() {
    let wrong: [[String]] = [
      ["nothing"], ["import"], ["import", "a", "--dataset", "none"], ["import", "a", "--batch-bytes", "0"],
      ["query", "--order", "up"], ["query", "--format", "xml"], ["completions", "tcsh"],
      ["serve", "--port", "many"], ["check"],
    ]
    for arguments in wrong {
      #expect(throws: (any Error).self, "\(arguments)") { try CordwoodCommand.parseAsRoot(arguments) }
    }
  }

  @Test func theVersionIsShown() {
    #expect(CordwoodCommand.configuration.version.hasPrefix("cordwood "))
  }
}
