import Codecs
import Foundation
import Platform
import Records

/// Imports one input: one request at a time, so that its lines keep their order, while the next batch is made
/// ready.
struct FileImport {
  struct Options: Sendable {
    var target: ImportTarget
    /// nil: told from the first line.
    var style: LineStyle?
    var skipsEmpty: Bool
    var batchBytes: Int
    /// From the beginning, though the server knows the file.
    var isAgain = false
  }

  let options: Options
  let sender: RecordSender
  let progress: Progress

  /// What one run did.
  struct Outcome: Sendable {
    /// Records.
    var sent = 0
    /// Bytes that an earlier run had sent.
    var earlierBytes = 0
    /// Of this run.
    var cuts = LineCuts()
  }

  /// How far an import is.
  private struct Place {
    /// The server has what lies before.
    var stored = 0
    var note: String
    /// Whether the next piece begins the import anew, whatever the server knows.
    var isAnew = false

    /// The file from its beginning: as something else than what the server knows.
    mutating func beginAnew() {
      stored = 0
      isAnew = true
      note += "-\(UInt32.random(in: 0 ... .max))"
    }
  }

  func run(_ source: ImportSource) async throws -> Outcome {
    if source.path == nil { return try await runLive(source) }
    let style = try style(of: source)
    let name = name(of: source, style: style)
    var place = Place(note: try source.head().note)
    if options.isAgain { place.beginAnew() }
    let members = options.target.members(style, time: SystemClock().now())
    var outcome = Outcome()
    progress.begin(source.name, at: 0, of: source.sizeBytes)
    var reader = try BatchReader(source, from: 0, style: style, members: members, options)
    var next = try reader.next()
    while let batch = next {
      let part = ImportPart(
        name: name, range: Int64(place.stored)..<Int64(batch.range.upperBound), note: place.note,
        restarts: place.isAnew)
      let sender = sender
      async let answer = batch.lineCount > 0 ? sender.send(batch.body, part: part) : nil
      next = try reader.next()
      switch try await answer {
      case nil: break
      case .stored:
        place.stored = batch.range.upperBound
        place.isAnew = false
        outcome.sent += batch.lineCount
        outcome.cuts += batch.cuts
      case .elsewhere(let last):
        try goOn(behind: last, of: source, &place)
        if outcome.sent == 0 { outcome.earlierBytes = place.stored }
        reader = try BatchReader(source, from: place.stored, style: style, members: members, options)
        next = try reader.next()
      }
      progress.advance(to: max(place.stored, batch.range.upperBound), lines: batch.lineCount)
    }
    return outcome
  }

  /// Goes to where the server says that the import is, if it is one of this file.
  private func goOn(behind last: ImportPart?, of source: ImportSource, _ place: inout Place) throws {
    let stored: Int? =
      if let last { try source.has(last) ? Int(last.range.upperBound) : nil } else { 0 }
    guard let stored else { return place.beginAnew() }
    guard stored != place.stored else {
      throw Failure("the server refuses the part of \(source.name) that it asks for, from byte \(stored) on")
    }
    place.stored = stored
  }

  /// What the server knows the import by: the machine, the file whatever its name, and what is made of it.
  private func name(of source: ImportSource, style: LineStyle) -> String {
    // Without one the file's device and inode have to do.
    let machine = (try? String(contentsOfFile: "/etc/machine-id", encoding: .utf8)) ?? ""
    let parts = [
      machine, "\(source.device)", "\(source.inode)", options.target.name, "\(style)",
      options.skipsEmpty ? "skip" : "keep",
    ]
    let bytes = Array(parts.joined(separator: "\u{0}").utf8)
    let hashes = [0, 1].map { String(Hash64.xxh64(bytes, seed: $0), radix: 16) }
    return "import-" + hashes.joined(separator: "-")
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
    let stream = String(UInt64.random(in: 0 ... .max), radix: 16)
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
          try await sender.send(batch.body, key: "import-\(stream)-\(batch.range.lowerBound)")
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
}

/// The batches of a file, from some place on to the end that it had when the import began.
private struct BatchReader: ~Copyable {
  private static let readBytes = 1 << 20

  private let source: ImportSource
  private var batcher: LineBatcher
  private var remainingBytes: Int

  init(
    _ source: ImportSource, from offset: Int, style: LineStyle, members: [UInt8],
    _ options: FileImport.Options
  ) throws {
    self.source = source
    batcher = LineBatcher(
      style: style, members: members, skipsEmpty: options.skipsEmpty, offset: offset,
      bytesMax: options.batchBytes)
    remainingBytes = (source.sizeBytes ?? 0) - offset
    try source.seek(to: offset)
  }

  mutating func next() throws -> ImportBatch? {
    while true {
      if let batch = batcher.next(atEnd: false) { return batch }
      let count = min(BatchReader.readBytes, remainingBytes)
      let bytes = count > 0 ? try source.read(count) : []
      guard !bytes.isEmpty else { return batcher.next(atEnd: true) }
      remainingBytes -= bytes.count
      batcher.feed(bytes)
    }
  }
}
