import ArgumentParser
import AsyncHTTPClient
import Codecs
import Foundation
import NIOCore
import NIOHTTP1
import Platform

/// `cordwood query`: asks a server.
struct QueryCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json, ndjson, csv, arrow, parquet }
  enum Order: String, ExpressibleByArgument, CaseIterable { case asc, desc }

  static let configuration = CommandConfiguration(
    commandName: "query", abstract: "Ask a server for records or counts.",
    discussion: """
      Several filters must all match; a flag given twice with --level or --service
      means one of them. Docs/query.md describes the expressions of --where.

      Examples:
        cordwood query --since 1h --level ERROR --contains 'timed out'
        cordwood query --where 'metadata.n > 1 and message ~ "o[0-9]+"' --format csv
        cordwood query --since 24h --count-by service --bucket 1h
        cordwood query --service shop --count
        cordwood query --session my-app/deploy-7 --level ERROR --since 1h
        cordwood query --since 2026-11-19 --limit 1000000 --format parquet > p.parquet
      """)

  @Option(help: "The dataset to ask.") var dataset = "logs"
  @Option(
    help: ArgumentHelp(
      "Ask this session of the sessions API (see cordwood login) instead of a dataset.",
      valueName: "container/session"))
  var session: String?
  @Option(help: "From when on: 15m, 2h, 7d (ago), a date, or RFC 3339.") var since: String?
  @Option(help: "Until when, not included.") var until: String?
  @OptionGroup var filter: FilterOptions
  @Option(help: "Columns to show, separated by commas.") var columns: String?
  @Option(help: "asc or desc by time (default desc).") var order: Order?
  @Option(help: "The most records or groups (default 100 for tables of records).") var limit: Int?
  @Flag(help: "Count instead of showing.") var count = false
  @Option(help: "Count by these columns, separated by commas.") var countBy: String?
  @Option(help: "Count by time: 1m, 1h, 1d.") var bucket: String?
  @Flag(help: "Largest counts first.") var largestFirst = false
  @Flag(help: "Fail rather than guess the largest of very many.") var exact = false
  @Option(help: "table, json, ndjson, csv, arrow or parquet.") var format = Format.table
  @OptionGroup var login: LoginOptions
  @OptionGroup var client: ClientOptions

  func run() async throws {
    try await Failure.shown { try await ask() }
  }

  private var isCount: Bool { count || countBy != nil || bucket != nil }

  private func ask() async throws {
    if format == .arrow || format == .parquet, ProcessLimits.isTerminal(1) {
      throw Failure("\(format.rawValue) is binary: send it to a file, for example > rows.\(format.rawValue)")
    }
    let wire = format == .table ? "ndjson" : format.rawValue
    let now = SystemClock().now()
    let response: HTTPClientResponse
    if let session {
      let path = try SessionQuery.path(try SessionName(session), flags, format: wire, now: now)
      response = try await login.client(try client.serverURL()).start(.GET, path)
    } else {
      let body = try QueryBody.make(flags, now: now)
      response = try await client.client().start(
        .POST, "/v1/query?format=\(wire)", headers: [("Content-Type", "application/json")],
        body: Array(body.text.utf8))
    }
    guard response.status == .ok else {
      let bytes = try await response.body.collect(upTo: 1 << 20)
      let answer = ServerClient.Answer(
        status: Int(response.status.code), retryAfterSeconds: nil, body: Array(bytes.readableBytesView))
      throw Failure(answer.problem)
    }
    if let bound = response.headers.first(name: "Cordwood-Approximate") {
      Output.warn("not exact (\(bound)): a group that is missing has at most so many; --exact fails instead")
    }
    do {
      var output = RowOutput(format: format, isCount: isCount, columns: countColumns)
      for try await piece in response.body { try output.write(Array(piece.readableBytesView)) }
      try output.finish()
    } catch let error as Failure {
      throw error
    } catch {
      throw Failure("the answer was cut off: the server failed or went away")
    }
  }

  private var flags: QueryFlags {
    var flags = filter.flags(for: dataset)
    flags.since = since
    flags.until = until
    flags.columns = QueryCommand.list(columns)
    flags.order = order?.rawValue
    flags.limit = limit ?? (format == .table && !isCount ? 100 : nil)
    flags.counts = count
    flags.countBy = QueryCommand.list(countBy)
    flags.bucket = bucket
    flags.largestFirst = largestFirst
    flags.isExact = exact
    return flags
  }

  private var countColumns: [String] {
    (bucket == nil ? [] : ["bucket"]) + QueryCommand.list(countBy) + ["count"]
  }

  private static func list(_ text: String?) -> [String] {
    (text ?? "").split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
  }
}
