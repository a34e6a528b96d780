import ArgumentParser
import Foundation
import Platform
import Records
import Server

/// `cordwood import`: sends files to a server.
struct ImportCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable { case auto, text, json }

  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Send files of log lines to a server.",
    discussion: """
      Plain text becomes a record a line (its message); JSON lines are sent as they
      are. An interrupted import goes on where it was when the same command is given
      again, and nothing is stored twice: the server keeps how far each file has
      come, with the records themselves, for 30 days from the last of them. A file
      that has grown is continued, also under another name. A line of text of more
      than 160 KiB becomes several records, which is said at the end.

      Examples:
        cordwood import app.log --service shop
        cordwood import nginx/*.log --url http://logs:8000 --key-file key.txt
        cordwood import events.jsonl --dataset audit
        journalctl -f | cordwood import - --service journal
        gzip -dc old.log.gz | cordwood import - --service old
        cordwood import deploy.log --session my-app/deploy-7 --level INFO
      """)

  @Argument(help: "Files to send; - is standard input.") var files: [String]
  @Option(help: "The dataset to write to.") var dataset = "logs"
  @Option(help: "The records' service. Records that have one keep it.") var service: String?
  @Option(
    help: ArgumentHelp(
      "Write to this session of the sessions API (see cordwood login) instead of a dataset; made if missing.",
      valueName: "container/session"))
  var session: String?
  @Option(help: "With --session: the level of lines of text.") var level: String?
  @Option(help: "What the lines are: text, json, or auto (by the first line; standard input is text).")
  var format = Format.auto
  @Flag(help: "Leave empty lines out.") var skipEmpty = false
  @Option(help: "Bytes a request, about.") var batchBytes = 1 << 20
  @Option(help: "Files sent at the same time.") var jobs = 4
  @Option(help: "How long a request is tried again, in seconds.") var retrySeconds = 120
  @Flag(help: "Send the files from their beginning, though they have been imported.") var again = false
  @Flag(help: "No progress line and no summary.") var quiet = false
  @OptionGroup var login: LoginOptions
  @OptionGroup var client: ClientOptions

  func validate() throws {
    guard ServedAPIs.registry.dataset(named: dataset) != nil else {
      throw ValidationError(
        "the datasets are \(ServedAPIs.registry.datasets.map(\.name).joined(separator: ", "))")
    }
    guard (1...(32 << 20)).contains(batchBytes) else { throw ValidationError("--batch-bytes: 1 to 33554432") }
    guard (1...64).contains(jobs) else { throw ValidationError("--jobs: 1 to 64") }
    guard service == nil || dataset == "logs" else {
      throw ValidationError("--service is for the dataset logs")
    }
    guard session == nil || service == nil else {
      throw ValidationError("--service is for datasets; a session's records have none")
    }
    guard session != nil || level == nil else { throw ValidationError("--level belongs to --session") }
  }

  func run() async throws {
    try await Failure.shown { try await importFiles() }
  }

  private func importFiles() async throws {
    let name = try session.map { try SessionName($0) }
    let server: ServerClient
    if let name {
      server = try await login.client(try client.serverURL())
      try await SessionLogin.makeSession(name, server)
    } else {
      server = try client.client()
    }
    let target = name.map { ImportTarget.session($0, level: level) } ?? .dataset(dataset, service: service)
    let progress = Progress(isShown: !quiet && ProcessLimits.isTerminal(2))
    let options = FileImport.Options(
      target: target, style: style, skipsEmpty: skipEmpty, batchBytes: batchBytes,
      isAgain: again)
    try await server.checkIsCordwood()
    let sender = RecordSender(client: server, target: target, retrySeconds: retrySeconds) {
      progress.retrying($0)
    }
    let job = FileImport(options: options, sender: sender, progress: progress)
    let quiet = quiet
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, path) in files.enumerated() {
        if index >= jobs { try await group.next() }
        group.addTask {
          let started = ContinuousClock.now
          let source = try ImportSource(path)
          let outcome = try await job.run(source)
          progress.clear()
          if !quiet { ImportCommand.report(source.name, outcome, ContinuousClock.now - started) }
          if let warning = ImportCommand.warning(source.name, outcome.cuts) { Output.warn(warning) }
        }
      }
      try await group.waitForAll()
    }
  }

  private var style: LineStyle? {
    switch format {
    case .auto: nil
    case .text: .text
    case .json: .json
    }
  }

  /// Also for those who want no summary: the records are not the lines any more.
  static func warning(_ name: String, _ cuts: LineCuts) -> String? {
    guard let offset = cuts.firstOffset else { return nil }
    let bound = "\(Progress.grouped(LineBatcher.lineBytesMax)) bytes"
    return cuts.count == 1
      ? "\(name): 1 line is longer than \(bound) and became several records; it starts at byte \(offset)"
      : "\(name): \(Progress.grouped(cuts.count)) lines are longer than \(bound) and became several records each; "
        + "the first starts at byte \(offset)"
  }

  private static func report(_ name: String, _ outcome: FileImport.Outcome, _ duration: Duration) {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    var text = "\(name): \(Progress.grouped(outcome.sent)) lines in \(String(format: "%.1f", seconds)) s"
    if outcome.earlierBytes > 0 {
      text += " (\(Progress.grouped(outcome.earlierBytes)) bytes were there already)"
    }
    Output.note(text)
  }
}
