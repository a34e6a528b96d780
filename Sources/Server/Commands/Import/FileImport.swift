import Codecs
import Foundation
import Platform

/// Imports one input: one request at a time, so that its lines keep their order, while the next batch is made
/// ready.
struct FileImport {
  struct Options: Sendable {
    var target: ImportTarget
    /// nil: told from the first line.
    var style: LineStyle?
    var skipsEmpty: Bool
    var batchBytes: Int
    var stateDirectory: String
    /// Names the store: another store knows nothing of what this one has.
    var storeIdentity: String
  }

  let options: Options
  let sender: RecordSender
  let progress: Progress
  private static let readBytes = 1 << 20

  /// What one run did.
  struct Outcome: Sendable {
    /// Records.
    var sent = 0
    /// How many an earlier run had sent.
    var earlier = 0
    /// Of this run.
    var cuts = LineCuts()
  }

  func run(_ source: ImportSource) async throws -> Outcome {
    if source.path == nil { return try await runLive(source) }
    let style = try style(of: source)
    let file = stateFile(for: source, style: style)
    var state = try startState(source, file: file)
    let earlier = state.lineCount
    var cuts = LineCuts()
    try source.seek(to: state.offset)
    progress.begin(source.name, at: state.offset, of: source.sizeBytes)
    var batcher = LineBatcher(
      style: style, members: options.target.members(style, time: state.startedAt),
      skipsEmpty: options.skipsEmpty,
      offset: state.offset, bytesMax: options.batchBytes)
    var remaining = source.sizeBytes.map { $0 - state.offset }
    var next = try pendingBatch(&batcher, state: state, source: source, remaining: &remaining)
    if next == nil { next = try readBatch(&batcher, source, remaining: &remaining) }
    while let batch = next {
      state.pending = batch.range
      try file?.save(state)
      let key = FileImport.key(range: batch.range, identity: state.identity, target: options.target)
      let sender = sender
      async let sent: Void = batch.lineCount > 0 ? sender.send(batch.body, key: key) : ()
      next = try readBatch(&batcher, source, remaining: &remaining)
      try await sent
      state.offset = batch.range.upperBound
      state.lineCount += batch.lineCount
      cuts += batch.cuts
      state.pending = nil
      if next == nil { try file?.save(state) }
      progress.advance(to: state.offset, lines: batch.lineCount)
    }
    return Outcome(sent: state.lineCount - earlier, earlier: earlier, cuts: cuts)
  }

  /// Standard input: lines are sent as they come, many at once when many come.
  private func runLive(_ source: ImportSource) async throws -> Outcome {
    // Records have to be announced: what the first line is tells little of a stream that may never end.
    let style = options.style ?? .text
    var batcher = LineBatcher(
      style: style, members: options.target.members(style, time: SystemClock().now()),
      skipsEmpty: options.skipsEmpty, offset: 0, bytesMax: options.batchBytes)
    // Reading may block for ever.
    let thread = DiskThread(name: "standard input")
    let identity = FileIdentity(device: 0, inode: UInt64.random(in: 1 ... .max), headBytes: 0, headHash: 0)
    var outcome = Outcome()
    progress.begin(source.name, at: 0, of: nil)
    var isAtEnd = false
    while !isAtEnd {
      let room = max(options.batchBytes - batcher.carryBytes, 64 * 1024)
      let bytes = try await thread.run { () throws(DiskError) in
        try StandardInput.read(max: room, restMilliseconds: FileImport.restMilliseconds)
      }
      isAtEnd = bytes.isEmpty
      batcher.feed(bytes)
      batcher.members = options.target.members(style, time: SystemClock().now())
      while let batch = batcher.next(atEnd: isAtEnd, isLive: true) {
        if batch.lineCount > 0 {
          let key = FileImport.key(range: batch.range, identity: identity, target: options.target)
          try await sender.send(batch.body, key: key)
        }
        outcome.sent += batch.lineCount
        outcome.cuts += batch.cuts
        progress.advance(to: batch.range.upperBound, lines: batch.lineCount)
      }
    }
    return outcome
  }

  /// A stream that rests so long is sent as far as it came.
  private static let restMilliseconds: Int32 = 5

  private func style(of source: ImportSource) throws -> LineStyle {
    if let style = options.style { return style }
    return LineBatcher.detectStyle(try source.read(64 * 1024))
  }

  private func stateFile(for source: ImportSource, style: LineStyle) -> ImportStateFile? {
    guard source.path != nil else { return nil }
    let target = [
      options.storeIdentity, options.target.name, "\(style)", options.skipsEmpty ? "skip" : "keep",
      // A token of the sessions API is another at each login.
      options.target.isSession ? "" : sender.client.key ?? "",
    ]
    return ImportStateFile(
      directory: options.stateDirectory, device: source.device, inode: source.inode,
      target: target.joined(separator: "\u{0}"))
  }

  /// The state an earlier run left, if the file is still the one it was; else a new one.
  private func startState(_ source: ImportSource, file: ImportStateFile?) throws -> ImportState {
    guard let file, let size = source.sizeBytes else {
      return ImportState(
        identity: FileIdentity(device: 0, inode: UInt64.random(in: 1 ... .max), headBytes: 0, headHash: 0),
        startedAt: SystemClock().now())
    }
    if let state = file.load(), size >= max(state.offset, state.pending?.upperBound ?? 0),
      try source.identity(headBytes: state.identity.headBytes) == state.identity
    {
      return state
    }
    return ImportState(
      identity: try source.identity(headBytes: FileIdentity.headBytesMax), startedAt: SystemClock().now())
  }

  /// The batch that was under way when an earlier run ended: exactly its bytes, whatever has been appended
  /// since.
  private func pendingBatch(
    _ batcher: inout LineBatcher, state: ImportState, source: ImportSource, remaining: inout Int?
  ) throws -> ImportBatch? {
    guard let pending = state.pending, pending.lowerBound == state.offset, !pending.isEmpty else {
      return nil
    }
    let bytes = try source.read(pending.count)
    remaining = remaining.map { $0 - bytes.count }
    var maker = LineBatcher(
      style: batcher.style, members: batcher.members, skipsEmpty: options.skipsEmpty,
      offset: pending.lowerBound, bytesMax: .max)
    maker.feed(bytes)
    let batch = maker.next(atEnd: true)
    batcher.skip(to: pending.upperBound)
    return batch
  }

  private func readBatch(
    _ batcher: inout LineBatcher, _ source: ImportSource, remaining: inout Int?
  ) throws -> ImportBatch? {
    while true {
      if let batch = batcher.next(atEnd: false) { return batch }
      let count = min(FileImport.readBytes, remaining ?? FileImport.readBytes)
      let bytes = count > 0 ? try source.read(count) : []
      guard !bytes.isEmpty else { return batcher.next(atEnd: true) }
      remaining = remaining.map { $0 - bytes.count }
      batcher.feed(bytes)
    }
  }

  /// The same for the same bytes of the same file, in this run and the next.
  static func key(range: Range<Int>, identity: FileIdentity, target: ImportTarget) -> String {
    let parts =
      "\(identity.device)/\(identity.inode)/\(identity.headBytes)/\(identity.headHash)/\(target.name)"
    return
      "import-\(String(Hash64.xxh64(Array(parts.utf8)), radix: 16))-\(range.lowerBound)-\(range.upperBound)"
  }
}
