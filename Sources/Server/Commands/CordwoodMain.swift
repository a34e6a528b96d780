import ArgumentParser
import Platform
import Server

/// The program's entry.
public enum CordwoodMain {
  /// Runs the command of the command line; ends the process when it is done.
  public static func run() async {
    CrashSignals.endAtOnce()
    StopSignals.exitOnInterrupt()
    StandardStreams.prepare()
    // Before anything else allocates.
    MemoryTuning.applyServerSettings()
    StopSignals.endWithoutDestructors()
    defer { StopSignals.endWithoutDestructors() }
    await CordwoodCommand.main(CommandLine.arguments.dropFirst().flatMap(separated))
  }

  /// `--option=value` as two arguments where the value begins with a combining mark: with it `=` is another
  /// character, at which the parser does not cut.
  static func separated(_ argument: String) -> [String] {
    let scalars = argument.unicodeScalars
    guard argument.hasPrefix("--"), let place = scalars.firstIndex(of: "="),
      argument.firstIndex(of: "=") != place
    else { return [argument] }
    return [String(scalars[..<place]), String(scalars[scalars.index(after: place)...])]
  }
}

/// `cordwood`.
struct CordwoodCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cordwood",
    abstract: "A log server: logs, stacked in columns.",
    discussion: """
      Examples:
        cordwood serve                           # on 127.0.0.1:8000, data in ./data
        cordwood import app.log --service shop   # send a file; goes on after a break
        cordwood query --since 1h --level ERROR  # the newest errors of the last hour
        cordwood query --since 24h --count-by service --bucket 1h
        cordwood tail --level ERROR              # errors as they are written
        cordwood login --user admin              # for import and query --session
        cordwood users add alice                 # one more user of ./data
        cordwood keys create ci --realm native --tenant t
        cordwood deadletters list                # what Loki refused for good
        cordwood inspect ./data                  # what is on the disk
        cordwood check ./data                    # verify every checksum
        cordwood repair ./data                   # what damaged blocks would lose
        cordwood backup /mnt/backup/cordwood     # while the server runs or not
        cordwood restore /mnt/backup/cordwood --data-dir ./data
        cordwood completions bash                # for your shell's start file
      """,
    version: "cordwood \(RunningServer.version)",
    subcommands: [
      ServeCommand.self, ImportCommand.self, QueryCommand.self, TailCommand.self, LoginCommand.self,
      LogoutCommand.self, UsersCommand.self, KeysCommand.self, DeadLettersCommand.self, InspectCommand.self,
      CheckCommand.self, RepairCommand.self, BackupCommand.self, RestoreCommand.self, CompletionsCommand.self,
    ])
}
