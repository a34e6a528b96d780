import Codecs
import Foundation
import Platform
import Records
import Shaping

/// One run over a file: one request at a time, so that its lines keep their order, while the next piece is
/// made ready.
final class FileRun {
  private static let readBytes = 1 << 20
  private static let headBytes = 256 * 1024
  /// A file that is followed is looked at so often; after so long a record is taken for complete.
  private static let pollMilliseconds = 250
  private static let idleMilliseconds: Int64 = 1_000

  private let job: FileImport
  private let source: ImportSource
  private let content: ContentReader
  private let identity: ImportIdentity
  private(set) var outcome = FileImport.Outcome()
  private var name = ""
  private var format: ImportFormat
  private var maker: any PieceMaker
  /// The server has what lies before.
  private var stored = 0
  /// Whether the next piece begins the import anew, whatever the server knows.
  private var isAnew = false
  /// The text's beginning, as far as there is any.
  private var head: [UInt8] = []
  /// The last bytes up to the end of the last piece that was made.
  private var recent: [UInt8] = []
  private var recentEnd = 0
  /// Text that is read: not beyond what there was when the run began, unless it follows.
  private var limit: Int

  init(_ job: FileImport, _ source: ImportSource) throws {
    guard let content = source.content else { throw Failure("\(source.name) cannot be read twice") }
    (self.job, self.source, self.content) = (job, source, content)
    let options = job.options
    identity = ImportIdentity(target: "\(options.target.name)\u{0}\(options.skipsEmpty)")
    limit = source.textBytes ?? .max
    let beginning = try FileRun.beginning(of: content, FileRun.headBytes)
    head = Array(beginning.prefix(ImportIdentity.headBytesMax))
    let times = LineTimes(zone: options.zone, now: FileRun.writtenAt(source))
    format = try ImportFormat(options, head: beginning, times: times, listing: content.listing)
    maker = job.maker(format, from: 0, of: source.name, writtenAt: FileRun.writtenAt(source))
  }

  private static func beginning(of content: ContentReader, _ count: Int) throws -> [UInt8] {
    try content.seek(to: 0)
    return try content.read(count)
  }

  /// About when its lines were written: what has no year is nearest to it.
  private static func writtenAt(_ source: ImportSource) -> Int64 {
    source.opened.changedAt > 0 ? source.opened.changedAt : SystemClock().now()
  }

  // MARK: Once

  func importFile() async throws {
    let isFresh = source.isFresh(now: SystemClock().now())
    content.isGrowing = isFresh
    guard try await begin(isFresh: isFresh) else {
      outcome.waitingBytes = head.count
      return
    }
    job.progress.begin(source.name, at: stored, of: source.textBytes)
    try await sendAll(isFresh ? .idle : .end)
    outcome.waitingBytes = isFresh ? maker.carryBytes : 0
    outcome.isCutOff = content.isCutOff && !isFresh
    if let fault = content.fault { try job.note(fault, of: source.name, in: &outcome) }
  }

  /// Finds out what the server has of it.
  ///
  /// - Returns: false: there is no whole line yet.
  private func begin(isFresh: Bool) async throws -> Bool {
    var names = identity.names(head)
    if names.isEmpty {
      guard !isFresh, !head.isEmpty else { return false }
      names = identity.names(head + [0x0A])
    }
    var free: String?
    search: for (rank, beginning) in names.enumerated() {
      for number in 0..<ImportIdentity.namesakesMax {
        let name = identity.name(beginning, number)
        guard let last = try await job.sender.standing(of: name, probe: probe()) else {
          if rank == 0 { free = name }
          break
        }
        guard try has(last) else { continue }
        self.name = name
        try await resume(behind: last)
        return true
      }
    }
    guard let free else {
      throw Failure("\(source.name): too many other files begin as it does; give it a --service of its own")
    }
    name = free
    isAnew = job.options.isAgain
    try go(to: 0)
    return true
  }

  private func resume(behind last: ImportPart) async throws {
    isAnew = job.options.isAgain
    if !isAnew {
      stored = Int(last.range.upperBound)
      outcome.earlierBytes = stored
      noteEarlierFormat(of: last)
      if job.options.format == nil, job.options.pattern == nil, !job.options.mapping.hasNames,
        let note = ImportIdentity.Note(last.note)
      {
        let beginning = try FileRun.beginning(of: content, FileRun.headBytes)
        let times = LineTimes(zone: job.options.zone, now: FileRun.writtenAt(source))
        // A format of a later version: what was found has to do.
        format = ImportFormat(note: note.format, head: beginning, times: times) ?? format
      }
    }
    try go(to: stored)
  }

  /// Who tells another format than that of what is stored finds that nothing of it is imported anew.
  private func noteEarlierFormat(of last: ImportPart) {
    guard job.options.format != nil || job.options.pattern != nil,
      let earlier = ImportIdentity.Note(last.note)?.format, !earlier.hasBytes(of: format.name)
    else { return }
    outcome.earlierFormat = earlier
  }

  /// A record that may be sent, and is not stored: the piece begins where none can.
  private func probe() -> [UInt8] {
    var text = JSONWriter(capacity: 256)
    text.append(raw: "{")
    text.append(raw: job.options.target.members(.text, time: SystemClock().now()))
    text.append(raw: "\"message\":\"\"}\n")
    return text.takeBytes()
  }

  /// Makes pieces from a place of the text on.
  private func go(to place: Int) throws {
    outcome.format = format.name
    maker = job.maker(format, from: place, of: source.name, writtenAt: FileRun.writtenAt(source))
    try content.seek(to: place)
    recent = []
    recentEnd = place
    fed = []
    fedOffset = place
  }

  /// Whether `last`, the last piece that is stored of what was imported, is of this text as it is now.
  private func has(_ last: ImportPart) throws -> Bool {
    let (from, to) = (Int(last.range.lowerBound), Int(last.range.upperBound))
    guard let note = ImportIdentity.Note(last.note), to <= limit else { return false }
    let headCount = min(ImportIdentity.headBytesMax, to)
    guard head.count >= headCount else { return false }
    let tailCount = min(ImportIdentity.tailBytesMax, to - from)
    try content.seek(to: to - tailCount)
    let tail = try content.read(tailCount)
    guard tail.count == tailCount else { return false }
    return note.hasBytes(of: ImportIdentity.Note(head: head[..<headCount], tail: tail[...], format: ""))
  }

  // MARK: Pieces

  /// What was fed and is in no piece yet, for notes and rejects.
  private var fed: [UInt8] = []
  private var fedOffset = 0

  /// - Parameter end: What becomes of the rest where the text ends.
  private func nextPiece(_ end: PieceMode) throws -> ImportPiece? {
    while true {
      if let piece = maker.next(.full) { return piece }
      let count = min(FileRun.readBytes, limit - content.offset)
      let bytes = count > 0 ? try content.read(count) : []
      guard !bytes.isEmpty else { return maker.next(end) }
      maker.feed(bytes)
      fed += bytes
    }
  }

  /// The part of the text that a piece stands for.
  private func text(of range: Range<Int>) -> ArraySlice<UInt8> {
    let low = max(0, min(range.lowerBound - fedOffset, fed.count))
    let high = max(low, min(range.upperBound - fedOffset, fed.count))
    return fed[low..<high]
  }

  private func sendAll(_ end: PieceMode) async throws {
    var next = try nextPiece(end)
    while let piece = next {
      try refuse(piece)
      let part = try part(piece)
      let (sender, skips) = (job.sender, job.options.onError == .skip)
      async let answer = piece.offsets.isEmpty ? nil : sender.send(piece.body, part: part, skips: skips)
      next = try nextPiece(end)
      do {
        switch try await answer {
        case nil: try took(piece, RecordSender.Refused())
        case .stored(let refused):
          // A request of which nothing is left stores nothing: the next piece stands for its lines too.
          if refused.count < piece.offsets.count {
            stored = piece.range.upperBound
            isAnew = false
          }
          try took(piece, refused)
        case .elsewhere(let last):
          try await goOn(behind: last)
          next = try nextPiece(end)
        }
      } catch let refusal as RecordSender.Refusal {
        throw Failure("\(source.name), \(try line(at: piece, refusal.entry)): \(refusal.reason)")
      }
      job.progress.advance(to: max(stored, piece.range.upperBound), lines: piece.offsets.count)
    }
  }

  private func part(_ piece: ImportPiece) throws -> ImportPart {
    let upper = piece.range.upperBound
    if head.count < min(ImportIdentity.headBytesMax, upper) {
      let at = content.offset
      head = try FileRun.beginning(of: content, ImportIdentity.headBytesMax)
      try content.seek(to: at)
    }
    let bytes = text(of: piece.range)
    recent = Array((recent + bytes).suffix(ImportIdentity.tailBytesMax))
    fed.removeFirst(min(fed.count, max(0, upper - fedOffset)))
    fedOffset = upper
    let tail = recent.suffix(min(ImportIdentity.tailBytesMax, upper - stored))
    let note = ImportIdentity.Note(
      head: head[..<min(ImportIdentity.headBytesMax, upper, head.count)], tail: tail, format: format.name)
    return ImportPart(
      name: name, range: Int64(stored)..<Int64(upper), note: note.text, restarts: isAnew)
  }

  /// Goes to where the server says that the import is, if it is one of this text.
  private func goOn(behind last: ImportPart?) async throws {
    let place = try last.map { try has($0) ? Int($0.range.upperBound) : nil } ?? 0
    guard let place else {
      throw Failure("\(source.name) changed while it was imported. The same command begins it anew.")
    }
    guard place != stored || isAnew else {
      throw Failure("the server refuses the part of \(source.name) that it asks for, from byte \(place) on")
    }
    stored = place
    isAnew = false
    if outcome.sent == 0 { outcome.earlierBytes = place }
    try go(to: place)
  }

  // MARK: Refusals

  /// - Throws: The first line of a piece that cannot be a record, unless such are left out.
  private func refuse(_ piece: ImportPiece) throws {
    guard let first = piece.refusals.first, job.options.onError == .stop else { return }
    let line = try lines(before: first.range.lowerBound) + 1
    throw Failure(
      "\(source.name), line \(line): \(first.reason). --on-error skip leaves such lines out.")
  }

  /// A piece is stored, but for what was left out.
  private func took(_ piece: ImportPiece, _ refused: RecordSender.Refused) throws {
    outcome.add(piece, refusedBehind: refused.count)
    guard let rejects = job.rejects else { return }
    var ranges = piece.refusals.map(\.range)
    for entry in refused.entries where entry < piece.offsets.count {
      let end = entry + 1 < piece.offsets.count ? piece.offsets[entry + 1] : piece.range.upperBound
      ranges.append(piece.offsets[entry]..<end)
    }
    guard !ranges.isEmpty else { return }
    let at = content.offset
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      try content.seek(to: range.lowerBound)
      try rejects.write(try content.read(range.count))
    }
    try content.seek(to: at)
  }

  private func line(at piece: ImportPiece, _ entry: Int?) throws -> String {
    guard let entry, entry < piece.offsets.count else { return "in what was sent" }
    return "line \(try lines(before: piece.offsets[entry]) + 1)"
  }

  /// Line ends before a place, counted anew: it is for errors.
  private func lines(before place: Int) throws -> Int {
    try content.seek(to: 0)
    var (count, at) = (0, 0)
    while at < place {
      let bytes = try content.read(min(FileRun.readBytes, place - at))
      guard !bytes.isEmpty else { break }
      at += bytes.count
      for byte in bytes where byte == 0x0A { count += 1 }
    }
    return count
  }

  // MARK: For ever

  /// Imports the file and what is appended, until another has taken its place or it was truncated.
  func follow() async throws {
    limit = .max
    while try await !begin(isFresh: true) {
      try await Task.sleep(for: .milliseconds(FileRun.pollMilliseconds))
      guard !isReplaced() else { return }
      head = try FileRun.beginning(of: content, ImportIdentity.headBytesMax)
      if !head.isEmpty,
        // One that cannot be told yet is told with the next look.
        let found = try? ImportFormat(
          job.options, head: head, times: LineTimes(zone: job.options.zone, now: FileRun.writtenAt(source)))
      {
        format = found
      }
    }
    job.progress.begin(source.name, at: stored, of: nil)
    var restedAt: Int64?
    while true {
      let before = content.offset
      try await sendAll(.live)
      let now = SystemClock().now() / 1_000_000
      if content.offset > before { restedAt = nil }
      if let since = restedAt, now - since >= FileRun.idleMilliseconds { try await sendAll(.idle) }
      restedAt = restedAt ?? now
      if isReplaced() {
        // What was written to the old file until it was left.
        try await sendAll(.end)
        return
      }
      try await Task.sleep(for: .milliseconds(FileRun.pollMilliseconds))
    }
  }

  /// Whether the path stands for another file, or the file has another text.
  private func isReplaced() -> Bool {
    guard let state = source.state() else { return false }
    let isOther = state.inode != source.opened.inode || state.device != source.opened.device
    return isOther || content.textBytes(ofFile: state.sizeBytes) < content.offset || isRewritten()
  }

  private func isRewritten() -> Bool {
    let at = content.offset
    let count = min(head.count, ImportIdentity.tailBytesMax)
    // A file that cannot be read is found out when its text is read.
    guard let now = try? FileRun.beginning(of: content, count) else { return false }
    // What cannot go back to where it was is not what it was.
    guard (try? content.seek(to: at)) != nil else { return true }
    return now != Array(head.prefix(count))
  }
}
