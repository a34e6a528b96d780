import Codecs
import Foundation
import Platform
import Records
import Shaping

/// Imports one input.
struct FileImport: Sendable {
  /// What becomes of a line that cannot be a record.
  enum OnError: Sendable { case stop, skip }

  struct Options: Sendable {
    var target: ImportTarget
    /// As `LineFormat` names it, or `records`; nil: found.
    var format: String?
    /// Of the user's own lines; goes before what is found.
    var pattern: LinePattern?
    /// Names of members that give columns, and what becomes of times that cannot be read.
    var mapping = FieldMapping()
    /// Lines of text are taken as they are.
    var readsLists: Bool { !(format?.hasBytes(of: "text") ?? false) }
    /// Of times that name none.
    var zone: LineTimes.Zone?
    var skipsEmpty = false
    var batchBytes = 1 << 20
    /// From the beginning, though the server knows the file.
    var isAgain = false
    /// Records before it are left out: nanoseconds since 1970.
    var since: Int64?
    var onError = OnError.stop
    /// Whether what is written later is imported too, for ever.
    var follows = false
  }

  let options: Options
  let sender: RecordSender
  let progress: Progress
  var rejects: RejectsFile?

  /// What one run did.
  struct Outcome: Sendable {
    /// Records.
    var sent = 0
    /// Bytes that an earlier run had sent.
    var earlierBytes = 0
    var cuts = LineCuts()
    var unparsedCount = 0
    var timesUnreadCount = 0
    var refusedCount = 0
    var earlyCount = 0
    /// Bytes of a last line that has no end yet.
    var waitingBytes = 0
    /// Whether the file is a list that ends without its bracket.
    var isCutOff = false
    /// What is wrong behind all that was imported.
    var fault: String?
    /// What it was taken for when it was imported before, if that is not what is told now.
    var earlierFormat: String?
    /// What the lines were taken for.
    var format = ""

    mutating func add(_ piece: ImportPiece, refusedBehind: Int) {
      sent += piece.offsets.count - refusedBehind
      refusedCount += piece.refusals.count + refusedBehind
      cuts += piece.cuts
      unparsedCount += piece.unparsedCount
      timesUnreadCount += piece.timesUnreadCount
      earlyCount += piece.earlyCount
    }
  }

  /// - Throws: A line that is refused, a server that is gone, a file that is no text; what was sent until
  ///   then is stored, and the same command goes on behind it.
  func run(_ source: ImportSource) async throws -> Outcome {
    if source.isPipe { return try await runPipe(source) }
    let run = try FileRun(self, source)
    try await run.importFile()
    return run.outcome
  }

  /// Imports a file, and what is written to it or to what takes its place, until the task is cancelled.
  func follow(_ path: String) async throws {
    while true {
      let source = try ImportSource(path, readsLists: options.readsLists)
      guard source.content?.isPlain == true else { return try await followChanges(source) }
      try await FileRun(self, source).follow()
    }
  }

  /// What cannot be gone on with from any place is imported anew when it has changed, and once it rests.
  private func followChanges(_ source: ImportSource) async throws {
    let wasFresh = source.isFresh(now: SystemClock().now())
    _ = try await run(source)
    while source.content != nil, source.state() == source.opened,
      !wasFresh || source.isFresh(now: SystemClock().now())
    { try await Task.sleep(for: .seconds(1)) }
  }

  /// What makes pieces of an input of `format`.
  func maker(_ format: ImportFormat, from offset: Int, of name: String, writtenAt: Int64) -> any PieceMaker {
    switch format {
    case .shaped(let lines):
      var made = LineRecords.Options(times: LineTimes(zone: options.zone, now: writtenAt))
      made.bytesMax = options.batchBytes
      made.skipsEmpty = options.skipsEmpty
      made.since = options.since
      made.mapping = options.mapping
      made.joinsLines = options.format.map { !$0.hasBytes(of: "text") } ?? true
      if case .dataset(_, let service) = options.target { made.service = service }
      let pod = ContainerFile(name)
      made.service = made.service ?? pod?.container
      made.labels = pod?.labels ?? []
      return ShapedPieces(lines, made, offset: offset)
    case .plain(let style):
      let batcher = LineBatcher(
        style: style, members: options.target.members(style, time: SystemClock().now()),
        skipsEmpty: options.skipsEmpty, offset: offset, bytesMax: options.batchBytes)
      return PlainPieces(batcher)
    }
  }

  // MARK: Pipes

  /// What cannot be read twice: lines are sent as they come, many at once when many come. Its format is told
  /// by what comes first.
  private func runPipe(_ source: ImportSource) async throws -> Outcome {
    // Reading may block for ever.
    let thread = DiskThread(name: "pipe")
    let descriptor = source.descriptor
    let stream = String(UInt64.random(in: 0 ... .max), radix: 16)
    var outcome = Outcome()
    progress.begin(source.name, at: 0, of: nil)
    var maker: (any PieceMaker)?
    var opening = PipeOpening(name: source.name, options: options)
    while true {
      let room = max(options.batchBytes - (maker?.carryBytes ?? 0), 64 * 1024)
      let read = try await thread.run { () throws(DiskError) in
        try StandardInput.read(from: descriptor, max: room, restMilliseconds: FileImport.restMilliseconds)
      }
      guard let bytes = try opening.take(read) else { continue }
      if maker == nil {
        let format = try ImportFormat(
          options, head: bytes, times: LineTimes(now: SystemClock().now()), listing: opening.listed)
        outcome.format = format.name
        maker = self.maker(format, from: 0, of: source.name, writtenAt: SystemClock().now())
      }
      guard let maker else { return outcome }
      maker.feed(bytes)
      var mode = read.isEmpty ? PieceMode.end : .live
      while true {
        while let piece = maker.next(mode) {
          try await send(piece, key: "import-\(stream)-\(piece.range.lowerBound)", &outcome)
        }
        guard mode == .live, maker.carryBytes > 0 else { break }
        // The last record may go on with what comes next.
        let isFlowing = await thread.run {
          StandardInput.waits(for: descriptor, milliseconds: FileImport.idleMilliseconds)
        }
        if isFlowing { break }
        mode = .idle
      }
      if read.isEmpty {
        outcome.isCutOff = opening.listed?.isOpen ?? false
        if let fault = opening.listed?.fault { try note(fault, of: source.name, in: &outcome) }
        return outcome
      }
    }
  }

  /// - Throws: What is wrong with a file behind what was imported, unless such is left out.
  func note(_ fault: String, of name: String, in outcome: inout Outcome) throws {
    outcome.fault = fault
    if options.onError == .stop { throw Failure("\(name): \(fault); what lies before is imported") }
  }

  private func send(
    _ piece: ImportPiece, key: String, _ outcome: inout Outcome
  ) async throws {
    if let first = piece.refusals.first, options.onError == .stop {
      throw Failure("at byte \(first.range.lowerBound) of the input: \(first.reason)")
    }
    let refused =
      piece.offsets.isEmpty
      ? RecordSender.Refused()
      : try await sender.send(piece.body, key: key, skips: options.onError == .skip)
    outcome.add(piece, refusedBehind: refused.count)
    progress.advance(to: piece.range.upperBound, lines: piece.offsets.count)
  }

  /// A stream that rests so long is sent as far as it came, but its last record, which may go on.
  private static let restMilliseconds: Int32 = 5
  /// After so long it does not.
  private static let idleMilliseconds: Int32 = 1_000
}

/// What the lines of an input are.
enum ImportFormat: Sendable, Hashable {
  case shaped(LineFormat)
  case plain(LineStyle)

  /// Told, or found in the input's beginning.
  ///
  /// - Parameter listing: What the records are, if they are no lines.
  init(
    _ options: FileImport.Options, head: [UInt8], times: LineTimes, listing: ListedRecords? = nil
  ) throws {
    self =
      listing?.areRecords ?? false ? .plain(.json) : try ImportFormat(options, head, times)
    guard case .plain = self, case .dataset("logs", _) = options.target else { return }
    guard options.since == nil, options.mapping.isEmpty else {
      throw Failure("these are records already: --since, --map and --on-unreadable are for lines and loggers")
    }
  }

  private init(_ options: FileImport.Options, _ head: [UInt8], _ times: LineTimes) throws {
    let name = options.format
    guard case .dataset(let dataset, _) = options.target, dataset.hasBytes(of: "logs") else {
      self = .plain(try ImportFormat.style(name) ?? LineBatcher.detectStyle(head))
      return
    }
    if let pattern = options.pattern {
      let envelope = name.map { name in LineEnvelope.allCases.first { $0.rawValue.hasBytes(of: name) } }
      let found = LineFormat.detect(head, times: times).envelope
      self = .shaped(LineFormat(pattern, in: envelope ?? found))
    } else if let name {
      if name.hasBytes(of: "records") {
        self = .plain(.json)
      } else if let format = LineFormat(named: name, head: head, times: times) {
        self = .shaped(format)
      } else {
        throw Failure("--format \(name): a table needs a first line with the names of its columns")
      }
    } else {
      // Names that are mapped are those of other loggers.
      self =
        !options.mapping.hasNames && OwnRecords.are(head)
        ? .plain(.json) : .shaped(LineFormat.detect(head, times: times))
    }
  }

  /// As a note of the server has it.
  init?(note name: String, head: [UInt8], times: LineTimes) {
    switch name {
    case "records": self = .plain(.json)
    case "lines": self = .plain(.text)
    default:
      guard let format = LineFormat(named: name, head: head, times: times) else { return nil }
      self = .shaped(format)
    }
  }

  private static func style(_ name: String?) throws -> LineStyle? {
    switch name {
    case nil: nil
    case "text": .text
    case "json", "records": .json
    default: throw Failure("only the dataset logs has formats; others take text and json")
    }
  }

  var name: String {
    switch self {
    case .shaped(let format): format.name
    case .plain(.json): "records"
    case .plain(.text): "lines"
    }
  }
}

/// Records that are in the columns of the dataset `logs` already, as the native API takes them.
enum OwnRecords {
  private static let columns: Set<Name> = [
    "timestamp", "level", "message", "service", "env", "trace_id", "span_id", "labels", "metadata",
  ]

  /// Whether the first line has columns of ours alone, and one of the objects that nobody else has so.
  static func are(_ head: [UInt8]) -> Bool {
    let line = Array(head.prefix { $0 != 0x0A })
    var reader = JSONReader(line)
    guard line.count < head.count, reader.peek() == UInt8(ascii: "{") else { return false }
    var names = JSONNames()
    var hasOurs = false
    do throws(JSONTree.SyntaxError) {
      try reader.open()
      while let name = try reader.member(&names) {
        guard columns.contains(Name(name)) else { return false }
        if reader.peek() == UInt8(ascii: "{") { hasOurs = true }
        try reader.skip()
      }
      try reader.end()
      return hasOurs
    } catch { return false }
  }
}

/// A file of `/var/log/containers`: `POD_NAMESPACE_CONTAINER-ID.log`.
struct ContainerFile: Hashable {
  let container: String
  let labels: [UInt8]

  init?(_ name: String) {
    let parts = name.utf8.split(separator: UInt8(ascii: "_"), omittingEmptySubsequences: false)
    guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }),
      let dash = parts[2].lastIndex(of: UInt8(ascii: "-"))
    else { return nil }
    let id = parts[2][dash...].dropFirst().prefix { $0 != UInt8(ascii: ".") }
    guard id.count == 64, dash > parts[2].startIndex else { return nil }
    container = String(decoding: parts[2][..<dash], as: UTF8.self)
    let object = JSONWriter.object { text in
      text.member("pod", String(decoding: parts[0], as: UTF8.self))
      text.member("namespace", String(decoding: parts[1], as: UTF8.self))
    }
    labels = Array(object.dropFirst().dropLast())
  }
}
