import ArgumentParser

/// `cordwood completions`.
struct CompletionsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "completions",
    abstract: "Print a script that completes commands and flags in your shell.",
    discussion: """
      Packages install the scripts where the shells look for them.

      Examples:
        source <(cordwood completions bash)
        cordwood completions zsh > ~/.zfunc/_cordwood    # with ~/.zfunc in fpath
        cordwood completions fish > ~/.config/fish/completions/cordwood.fish
      """)

  /// The shells that scripts are for.
  enum Shell: String, CaseIterable, ExpressibleByArgument {
    case bash
    case zsh
    case fish

    var completion: CompletionShell {
      switch self {
      case .bash: .bash
      case .zsh: .zsh
      case .fish: .fish
      }
    }
  }

  @Argument(help: "bash, zsh or fish.") var shell: Shell

  func run() throws {
    try Failure.shown {
      try Output.print(CordwoodCommand.completionScript(for: shell.completion) + "\n")
    }
  }
}
