import ArgumentParser
import AsyncHTTPClient
import Codecs
import Matching
import Foundation
import NIOCore
import NIOHTTP1
import Platform
import Querying
import Records

/// `cordwood tail`: shows records as they are written.
struct TailCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  static let configuration = CommandConfiguration(
    commandName: "tail", abstract: "Show records as they are written.",
    usage: "cordwood tail [<dataset>] [<options>]",
    discussion: """
      Several filters must all match; a flag given twice with --level or --service
      means one of them. When the connection breaks it is made again, and goes on
      where it was: nothing is shown twice, nothing is left out.

      Examples:
        cordwood tail
        cordwood tail --level ERROR --level FATAL --last 20
        cordwood tail --service shop --where 'metadata.amount > 100'
        cordwood tail audit --where 'action = "delete"' --format json | jq .id
      """)

  @Argument(help: "The dataset to follow.") var dataset = "logs"
  @OptionGroup var filter: FilterOptions
  @Option(help: "How many of the records written last come first.") var last = 10
  @Option(help: "text, or json: an object a line.") var format = Format.text
  @OptionGroup var client: ClientOptions

  func run() async throws {
    try await Failure.shown {
      var tail = try Tail(client: try client.client(), path: try path(), format: format)
      try await tail.run()
    }
  }

  private func path() throws -> String {
    let (dataset, predicate) = try QueryBody.filter(filter.flags(for: dataset))
    guard (0...10_000).contains(last) else { throw Failure("--last: a number from 0 to 10000") }
    var path = "/v1/tail/\(dataset.name)?last=\(last)"
    if predicate != .all { path += "&where=\(predicate.json.text.percentEncoded)" }
    return path
  }
}

/// One run of `cordwood tail`: connections one after the other, each going on where the one before ended.
struct Tail {
  private static let restSeconds = [0.2, 0.5, 1, 2, 5, 10]

  private let client: ServerClient
  private let path: String
  private let isJSON: Bool
  private let printer: RowPrinter
  /// Where the next connection begins; nil: nothing has come yet.
  private var lastID: String?

  init(client: ServerClient, path: String, format: TailCommand.Format) throws {
    self.client = client
    self.path = path
    isJSON = format == .json
    let isTerminal = ProcessLimits.isTerminal(1)
    let hasColour = isTerminal && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
    printer = RowPrinter(hasColour: hasColour, isTerminal: isTerminal)
  }

  /// Ends only with the process, or when the server will not have us.
  mutating func run() async throws {
    var isConnected = false
    var tries = 0
    while true {
      do {
        try await follow {
          isConnected = true
          if tries > 0 { Output.warn("connected again") }
          tries = 0
        }
        Output.warn("the server ended the stream; connecting again")
      } catch let error as Unreachable where isConnected {
        if tries == 0 { Output.warn("\(error.reason); connecting again") }
      } catch is Interrupted {
        if tries == 0 { Output.warn("the connection broke; connecting again") }
      }
      let rest = Tail.restSeconds[min(tries, Tail.restSeconds.count - 1)]
      tries += 1
      // Cancelled: then the next request is too, which ends the loop.
      try? await Task.sleep(for: .seconds(rest))
    }
  }

  /// A stream that began and did not end as it should: another may go on.
  private struct Interrupted: Error {}

  private mutating func follow(_ connected: () -> Void) async throws {
    var headers = [("Accept", "text/event-stream")]
    if let lastID { headers.append(("Last-Event-ID", lastID)) }
    let response = try await client.start(.GET, path, headers: headers, isStream: true)
    guard response.status == .ok else {
      let bytes = try await response.body.collect(upTo: 1 << 20)
      let status = Int(response.status.code)
      let answer = ServerClient.Answer(
        status: status, retryAfterSeconds: nil, body: Array(bytes.readableBytesView))
      guard status == 503 || status == 429 else { throw Failure(answer.problem) }
      throw Unreachable(url: client.url, reason: answer.problem)
    }
    connected()
    var parser = EventStreamParser()
    do {
      for try await piece in response.body {
        try show(parser.feed(piece.readableBytesView))
        lastID = parser.lastID ?? lastID
      }
    } catch let failure as Failure {
      throw failure
    } catch {
      throw Interrupted()
    }
  }

  private mutating func show(_ events: [EventStreamParser.Event]) throws {
    var text = ""
    for event in events {
      switch event.type {
      case "message":
        // What does not parse is shown as it came, where that is no terminal.
        let row = isJSON ? nil : try? JSONTree(parsing: Array(event.data.utf8))
        text += (row.map { printer.line($0) } ?? printer.raw(event.data)) + "\n"
      case "dropped":
        try Tail.print(&text)
        // An object of ours; without its count the note is still true.
        let tree = try? JSONTree(parsing: Array(event.data.utf8))
        let count = tree?["count"].map(RowPrinter.text) ?? "some"
        Output.warn("\(count) records left out: they came faster than they could be shown")
      case "deleted":
        try Tail.print(&text)
        Output.warn("some of what came meanwhile was deleted; going on with what is still there")
      case "reset":
        Output.warn("the server has other records than before; going on with what comes now")
      case "closed":
        try Tail.print(&text)
        // As above.
        let tree = try? JSONTree(parsing: Array(event.data.utf8))
        Output.warn("the server ends the stream: \(tree?["reason"].map(RowPrinter.text) ?? "")")
      default: break
      }
    }
    try Tail.print(&text)
  }

  private static func print(_ text: inout String) throws(Failure) {
    guard !text.isEmpty else { return }
    defer { text = "" }
    try Output.print(text)
  }
}
