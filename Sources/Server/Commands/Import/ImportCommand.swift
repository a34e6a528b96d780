import ArgumentParser
import Foundation
import Platform
import Records
import Server
import Shaping

/// `cordwood import`: sends files to a server.
struct ImportCommand: AsyncParsableCommand {
  enum OnError: String, ExpressibleByArgument, CaseIterable { case stop, skip }

  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Send files of log lines to a server.",
    discussion: """
      Lines become records with their time, level, service and message: JSON of any
      logger, syslog, access and error logs of web servers, log4j, logback, Python,
      klog, zap, PostgreSQL, Redis, logfmt, CSV, lines of containers, and others; the
      format is found from the first 100 lines (--detect shows it). A stack trace is
      one record. What is of no format is kept as it is. Files may be gzip, zstd or
      UTF-16, and rotated; a folder or a quoted pattern stands for the files in it.

      An interrupted import goes on where it was when the same command is given
      again, and nothing is stored twice: the server keeps how far each file has
      come, with the records themselves, for 30 days from the last of them. A file is
      known by how it begins, whatever its name. A last line without an end waits
      while the file is written.

      Examples:
        cordwood import app.log --service shop
        cordwood import /var/log/nginx --url http://logs:8000 --key-file key.txt
        cordwood import --detect app.log
        cordwood import --follow '/var/log/containers/*.log'
        cordwood import events.jsonl --dataset audit
        journalctl -f -o json | cordwood import -
        cordwood import deploy.log --session my-app/deploy-7 --level INFO
      """)

  @Argument(help: "Files, folders, patterns; - is standard input.") var files: [String] = []
  @Option(help: "The dataset to write to.") var dataset = "logs"
  @Option(help: "The records' service. JSON records that have one keep it.") var service: String?
  @Option(
    help: ArgumentHelp(
      "Write to this session of the sessions API (see cordwood login) instead of a dataset; made if missing.",
      valueName: "container/session"))
  var session: String?
  @Option(help: "With --session: the level of lines of text.") var level: String?
  @Option(
    help: ArgumentHelp(
      "What the lines are: auto, text, json, records (as they are), or a name that --detect shows.",
      valueName: "name"))
  var format = "auto"
  @Option(
    help: ArgumentHelp(
      "Show what a file's lines are taken for, and send nothing.", valueName: "file"))
  var detect: String?
  @Option(help: "The zone of times that name none: +01:00, UTC, Europe/Berlin (default: UTC).")
  var zone: String?
  @Option(help: "Leave out records older than this: 90m, 2h, 7d, or a time.") var since: String?
  @Option(help: "What becomes of a line that cannot be a record: stop, or skip it.")
  var onError = OnError.stop
  @Option(help: ArgumentHelp("Append such lines to this file.", valueName: "file")) var rejects: String?
  @Flag(help: "Go on with what is written later, also to files that are made later, for ever.")
  var follow = false
  @Flag(help: "Leave empty lines out.") var skipEmpty = false
  @Option(help: "Bytes a request, about.") var batchBytes = 1 << 20
  @Option(help: "Files sent at the same time.") var jobs = 4
  @Option(help: "How long a request is tried again, in seconds.") var retrySeconds = 120
  @Flag(help: "Send the files from their beginning, though they have been imported.") var again = false
  @Flag(help: "No progress line and no summary.") var quiet = false
  @OptionGroup var shape: ShapeOptions
  @OptionGroup var login: LoginOptions
  @OptionGroup var client: ClientOptions

  func validate() throws {
    guard ServedAPIs.registry.dataset(named: dataset) != nil else {
      throw ValidationError(
        "the datasets are \(ServedAPIs.registry.datasets.map(\.name).joined(separator: ", "))")
    }
    guard (1...(32 << 20)).contains(batchBytes) else { throw ValidationError("--batch-bytes: 1 to 33554432") }
    guard (1...64).contains(jobs) else { throw ValidationError("--jobs: 1 to 64") }
    guard service == nil || dataset.hasBytes(of: "logs") else {
      throw ValidationError("--service is for the dataset logs")
    }
    guard session == nil || service == nil else {
      throw ValidationError("--service is for datasets; a session's records have none")
    }
    guard session != nil || level == nil else { throw ValidationError("--level belongs to --session") }
    try validateLines()
  }

  private func validateLines() throws {
    guard files.isEmpty != (detect == nil) else {
      throw ValidationError(files.isEmpty ? "name the files, or - for standard input" : "--detect FILE alone")
    }
    guard named == nil || ImportCommand.isFormat(format) else {
      let names = LineForm.named.map(\.rawValue) + LineEnvelope.allCases.map(\.rawValue)
      throw ValidationError("--format: auto, records, \(names.joined(separator: ", "))")
    }
    guard zone == nil || zone.flatMap({ ZoneName.zone($0) }) != nil else {
      throw ValidationError("--zone: +01:00, UTC or a name like Europe/Berlin")
    }
    let isLogs = session == nil && dataset.hasBytes(of: "logs")
    guard isLogs || zone == nil && since == nil else {
      throw ValidationError("--zone and --since are for the dataset logs")
    }
    guard isLogs || !shape.isGiven else {
      throw ValidationError("--pattern, --map and --on-unreadable are for the dataset logs")
    }
    let isEnvelope = LineEnvelope.allCases.contains { $0.rawValue.hasBytes(of: format) }
    guard shape.map.isEmpty || shape.pattern == nil && !format.hasBytes(of: "text") else {
      throw ValidationError("--map is for JSON, whose members it names")
    }
    guard shape.pattern == nil || named == nil || isEnvelope else {
      throw ValidationError("--pattern is a format of its own: --format auto, cri or docker")
    }
    guard isLogs || ["auto", "text", "json", "records"].contains(format) else {
      throw ValidationError("only the dataset logs has formats; others take text and json")
    }
    guard session == nil || onError == .stop else {
      throw ValidationError("a session refuses a request as a whole: --on-error skip is for datasets")
    }
    guard rejects == nil || onError == .skip else {
      throw ValidationError("--rejects belongs to --on-error skip")
    }
  }

  /// A table's columns are looked for in the file.
  private static func isFormat(_ name: String) -> Bool {
    name.hasBytes(of: "records") || name.hasBytes(of: "csv")
      || LineFormat(named: name, head: [], times: LineTimes(now: 0)) != nil
  }

  private var named: String? { format.hasBytes(of: "auto") ? nil : format }

  func run() async throws {
    try await Failure.shown {
      if let detect { try showFormat(of: detect) } else { try await importFiles() }
    }
  }

  private func showFormat(of path: String) throws {
    let target = ImportTarget.dataset(dataset, service: nil)
    let sender = RecordSender(
      client: ServerClient(url: "", key: nil), target: target, retrySeconds: 0, onRetry: { _ in })
    let job = FileImport(
      options: try options(target), sender: sender, progress: Progress(isShown: false))
    try Output.show(try FormatReport(path: path, job: job).lines().joined(separator: "\n") + "\n")
  }

  private func options(_ target: ImportTarget) throws -> FileImport.Options {
    var options = FileImport.Options(target: target)
    options.format = named
    options.zone = zone.flatMap { ZoneName.zone($0) }
    options.skipsEmpty = skipEmpty
    options.batchBytes = batchBytes
    options.isAgain = again
    options.since = try since.map { try SinceText.time($0, now: SystemClock().now()) }
    options.onError = onError == .skip ? .skip : .stop
    options.follows = follow
    options.pattern = try shape.linePattern()
    options.mapping = try shape.mapping()
    return options
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
    let progress = Progress(isShown: !quiet && !follow && ProcessLimits.isTerminal(2))
    try await server.checkIsCordwood()
    let sender = RecordSender(client: server, target: target, retrySeconds: retrySeconds) {
      progress.retrying($0)
    }
    var job = FileImport(options: try options(target), sender: sender, progress: progress)
    job.rejects = try rejects.map { try RejectsFile($0) }
    let work = ImportWork(job: job, arguments: files, jobs: jobs, isQuiet: quiet)
    try await follow ? work.follow() : work.once()
  }
}

/// The files of one command.
struct ImportWork: Sendable {
  let job: FileImport
  let arguments: [String]
  let jobs: Int
  let isQuiet: Bool
  /// Files that are made later are looked for so often.
  private static let lookSeconds = 1

  /// Each file, some at a time.
  func once() async throws {
    let files = try FileFinder.files(arguments)
    // In a folder what is no text is left out; a file that was named is an error.
    let isNamed = files.count == arguments.count
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, path) in files.enumerated() {
        if index >= jobs { try await group.next() }
        group.addTask {
          let started = ContinuousClock.now
          let source: ImportSource
          do { source = try ImportSource(path, readsLists: job.options.readsLists) } catch let failure
            as Failure where !isNamed
          {
            return Output.warn("left out: \(failure)")
          }
          let outcome = try await job.run(source)
          job.progress.clear()
          if !isQuiet { Output.note(ImportSummary.text(source.name, outcome, ContinuousClock.now - started)) }
          for warning in ImportSummary.warnings(source.name, outcome) { Output.warn(warning) }
        }
      }
      try await group.waitForAll()
    }
  }

  /// Each file for ever, those that are made later too. What goes wrong with one is said, and tried again.
  func follow() async throws {
    _ = try FileFinder.files(arguments.filter { !$0.utf8.contains(UInt8(ascii: "*")) })
    try await withThrowingTaskGroup(of: Void.self) { group in
      var known: Set<Name> = []
      while true {
        // Nothing there yet: it may come.
        let files = (try? FileFinder.files(arguments)) ?? []
        for path in files where known.insert(Name(path)).inserted {
          group.addTask { try await followFile(path) }
        }
        try await Task.sleep(for: .seconds(ImportWork.lookSeconds))
      }
    }
  }

  private func followFile(_ path: String) async throws {
    var said: String?
    while true {
      do {
        try await job.follow(path)
        guard FileManager.default.fileExists(atPath: path) else { return }
        said = nil
      } catch let error as CancellationError {
        throw error
      } catch {
        // Once, not every second.
        if said?.hasBytes(of: "\(error)") != true { Output.warn("\(error)") }
        said = "\(error)"
      }
      try await Task.sleep(for: .seconds(1))
    }
  }
}
