import Codecs
import Records

/// A request's worth of records made of lines.
package struct LineBatch: Sendable, Hashable {
  /// A record of the batch in the input.
  package struct Place: Sendable, Hashable {
    /// Its first line, from 1.
    package let line: Int
    /// The bytes of the input it stands for.
    package let range: Range<Int>
  }

  /// A line that cannot be a record.
  package struct Refusal: Sendable, Hashable {
    package let place: Place
    package let reason: String
  }

  /// NDJSON in the columns of the dataset `logs`.
  package var body: [UInt8] = []
  /// The bytes of the input it stands for.
  package var range: Range<Int> = 0..<0
  /// Lines of the input before its end.
  package var linesBefore = 0
  package var lineCount = 0
  /// Of each record.
  package var places: [Place] = []
  package var refusals: [Refusal] = []
  /// Records of lines that are not of the file's format: they are as they were, and have the time of the
  /// record before them.
  package var unparsedCount = 0
  /// The first of them.
  package var unparsed: [Place] = []
  /// Records whose time cannot be read.
  package var timesUnreadCount = 0
  /// Lines and records that were too long and became several.
  package var cutCount = 0
  /// Where in the input the first of them begins.
  package var firstCutOffset: Int?
  /// Records that are older than was asked for.
  package var earlyCount = 0
  /// What ``range`` holds, if it was wanted.
  package var source: [UInt8] = []
}

/// Cuts input into lines, lines into records, records into batches. Pure: the same bytes from the same offset
/// give the same batches, in whatever pieces they come.
package struct LineRecords: ~Copyable {
  package struct Options: Sendable {
    package var times: LineTimes
    /// Of records that name none; goes before the program that a line of text names.
    package var service: String?
    /// Of records that name none.
    package var level: String?
    /// The members of `labels`, commas between; empty: none.
    package var labels: [UInt8] = []
    /// Records that are older are left out: nanoseconds since 1970.
    package var since: Int64?
    /// Names of members that give columns, of objects; and what becomes of times that cannot be read.
    package var mapping = FieldMapping()
    /// Whether lines that go on with a record are put to it.
    package var joinsLines = true
    /// A batch ends with the record that reaches this many bytes of body.
    package var bytesMax = 1 << 20
    package var skipsEmpty = false
    /// Whether batches have what they are made of.
    package var keepsSource = false

    package init(times: LineTimes) { self.times = times }
  }

  /// A longer line becomes several records, and so does a longer record: escaped it must stay within the
  /// server's `limits.entry_bytes_max`.
  package static let recordBytesMax = 160 * 1024
  /// A record's lines.
  package static let recordLinesMax = 2_000
  /// A batch's records.
  package static let recordsMax = 50_000

  private static let unparsedMax = 5

  private let format: LineFormat
  private let options: Options
  private var writer: LineWriter
  /// Input from the batch's start on.
  private var carry: [UInt8] = []
  private var carryOffset: Int
  private var carryLine: Int
  /// Where the next line begins in the carry, and how far was looked for its end.
  private var at = 0
  private var seen = 0
  private var lineCount = 0
  private var pending: Pending?
  /// What a recogniser reads into.
  private var head = ParsedLine()
  private var spare = ParsedLine()
  private var trace = TraceShape()
  /// Parts of lines of containers, by stream.
  private var parts: [[UInt8]] = [[], []]
  private var partPlaces: [(start: Int, line: Int)?] = [nil, nil]
  private var batch = LineBatch()
  private var isWithinLine = false
  private var hasHeader: Bool

  /// - Parameters:
  ///   - offset: Where in the input the first byte fed lies: at a record's beginning.
  ///   - line: Lines before it.
  package init(_ format: LineFormat, _ options: Options, offset: Int = 0, line: Int = 0) {
    self.format = format
    self.options = options
    writer = LineWriter(options)
    (carryOffset, carryLine) = (offset, line)
    hasHeader = format.form != .csv || offset > 0
  }

  /// Bytes fed that are in no batch yet.
  package var carryBytes: Int { carry.count }

  /// Adds input.
  package mutating func feed(_ bytes: [UInt8]) { carry.append(contentsOf: bytes) }

  /// The next batch; nil when more input is needed.
  ///
  /// - Parameters:
  ///   - atEnd: No more input comes: the rest, whatever its size; then nil.
  ///   - isLive: What records there are make a batch, however few, but the last, which may go on.
  ///   - isIdle: The last too: nothing came for a while.
  package mutating func next(atEnd: Bool, isLive: Bool = false, isIdle: Bool = false) -> LineBatch? {
    let bytes = carry
    while let (line, next, isCut) = line(bytes, atEnd: atEnd) {
      process(line, next, isCut: isCut, bytes)
      at = next
      seen = next
      if isFull { return take(bytes) }
    }
    if atEnd || isIdle { finishAll(bytes) }
    if isLive, !mayGoOn { finish(bytes) }
    guard atEnd || isIdle || isLive else { return nil }
    return take(bytes)
  }

  /// Whether the next line may belong to the record at hand.
  private var mayGoOn: Bool {
    guard let pending else { return false }
    return pending.isOpenObject
      || options.joinsLines && pending.takesLines && format.form.continuation != .never
  }

  private var isFull: Bool {
    let size = writer.byteCount
    guard
      size >= options.bytesMax || batch.places.count >= LineRecords.recordsMax
        || batch.refusals.count >= 1_000
    else { return false }
    // Parts of a line that is not complete lie among the records.
    return partPlaces.allSatisfy { $0 == nil } || size >= options.bytesMax * 2
  }

  /// The next line: its end without the line end, where the next starts, and whether that is the rest of
  /// this one. nil: it is not complete.
  private mutating func line(_ bytes: [UInt8], atEnd: Bool) -> (Range<Int>, next: Int, isCut: Bool)? {
    let limit = min(bytes.count, at + LineRecords.recordBytesMax)
    var index = min(seen, limit)
    let span = bytes.span
    while index < limit, span[index] != 0x0A { index += 1 }
    seen = index
    if index < bytes.count, span[index] == 0x0A {
      let end = index > at && span[index - 1] == 0x0D ? index - 1 : index
      return (at..<end, index + 1, false)
    }
    if index - at >= LineRecords.recordBytesMax {
      // Nothing behind it yet: what comes next may be the line's end.
      guard index < bytes.count else { return atEnd ? (at..<index, index, false) : nil }
      // A cut must not fall into a character: move it before the bytes that continue one.
      var cut = index
      while cut > index - 4, bytes[cut - 1] & 0xC0 == 0x80 { cut -= 1 }
      if bytes[cut - 1] >= 0xC0 { cut -= 1 }
      return (at..<cut, cut, true)
    }
    guard atEnd, at < bytes.count else { return nil }
    return (at..<(bytes[bytes.count - 1] == 0x0D ? bytes.count - 1 : bytes.count), bytes.count, false)
  }

  // MARK: Lines

  private mutating func process(_ line: Range<Int>, _ next: Int, isCut: Bool, _ bytes: [UInt8]) {
    let number = carryLine + lineCount + 1
    if !isCut { lineCount += 1 }
    defer { isWithinLine = isCut }
    if !hasHeader {
      hasHeader = true
      return
    }
    if isWithinLine {
      finish(bytes)
      begin(.raw, .range(line), Place(line.lowerBound, next, number))
      return finish(bytes)
    }
    if isCut { noteCut(at: line.lowerBound) }
    let place = Place(line.lowerBound, next, number)
    guard let envelope = format.envelope else {
      accept(.range(line), bytes.span.extracting(line), place, nil, bytes)
      if isCut { finish(bytes) }
      return
    }
    unwrap(line, place, envelope, bytes)
  }

  private mutating func unwrap(
    _ line: Range<Int>, _ place: Place, _ envelope: LineEnvelope, _ bytes: [UInt8]
  ) {
    var inside: [UInt8] = []
    let text = bytes.span.extracting(line)
    guard let read = EnvelopedLine(text, envelope, options.times, into: &inside) else {
      finish(bytes)
      begin(.raw, .range(line), place)
      return
    }
    let stream = read.isError ? 1 : 0
    parts[stream] += inside
    var place = place
    if let open = partPlaces[stream] { place = Place(open.start, place.end, open.line) }
    guard !read.isPart || parts[stream].count >= LineRecords.recordBytesMax else {
      partPlaces[stream] = (place.start, place.line)
      return
    }
    let whole = parts[stream]
    parts[stream] = []
    partPlaces[stream] = nil
    accept(.own(whole), whole.span, place, read, bytes)
  }

  /// Begins a record with a line, or puts it to the one before.
  private mutating func accept(
    _ source: Pending.Source, _ text: Span<UInt8>, _ place: Place, _ envelope: EnvelopedLine?,
    _ bytes: [UInt8]
  ) {
    if let pending, pending.isOpenObject, extend(source, text, place, bytes) { return }
    if let kind = kind(of: text) {
      finish(bytes)
      begin(kind, source, place, envelope)
      trace.begin(text.extracting(0..<0))
      return
    }
    if goesOn(text, envelope), extend(source, text, place, bytes) { return }
    finish(bytes)
    if text.count == 0, options.skipsEmpty || format.form != .text { return }
    begin(.raw, source, place, envelope)
    trace.begin(text)
  }

  /// What a line begins; nil: nothing that the format knows.
  private mutating func kind(of text: Span<UInt8>) -> Pending.Kind? {
    switch format.form {
    case .text: return nil
    case .json:
      var scan = LineScan(text)
      scan.skipSpace(text)
      return scan.peek(text) == UInt8(ascii: "{") ? .object : nil
    case .logfmt: return PairsForm.object(logfmt: text).map { .made($0) }
    case .csv:
      guard let columns = format.columns else { return nil }
      return PairsForm.object(row: text, columns).map { .made($0) }
    case .pattern:
      guard let pattern = format.pattern else { return nil }
      head.clear()
      return head.read(text, as: pattern, options.times) ? .parsed : nil
    default:
      head.clear()
      return head.read(text, as: format.form, options.times) ? .parsed : nil
    }
  }

  private mutating func goesOn(_ text: Span<UInt8>, _ envelope: EnvelopedLine?) -> Bool {
    guard options.joinsLines, let pending, pending.takesLines, pending.envelope?.isError == envelope?.isError
    else { return false }
    switch format.form.continuation {
    case .never: return false
    case .all: return pending.kind == .parsed || trace.takes(text)
    case .traces: return trace.takes(text)
    }
  }

  private typealias Place = Pending.Place

  private mutating func begin(
    _ kind: Pending.Kind, _ source: Pending.Source, _ place: Place, _ envelope: EnvelopedLine? = nil
  ) {
    var pending = Pending(kind: kind, source: source, place: place, envelope: envelope)
    if kind == .parsed {
      swap(&pending.head, &head)
      swap(&head, &spare)
    }
    if kind == .object, format.isPretty { pending.depth.read(source, carry) }
    self.pending = pending
  }

  /// - Returns: false: the record would be too long.
  private mutating func extend(
    _ source: Pending.Source, _ text: Span<UInt8>, _ place: Place, _ bytes: [UInt8]
  ) -> Bool {
    guard let pending else { return false }
    guard pending.lineCount < LineRecords.recordLinesMax,
      pending.byteCount + text.count < LineRecords.recordBytesMax
    else {
      noteCut(at: pending.place.start)
      return false
    }
    self.pending?.extend(source, place, isEmpty: text.count == 0)
    if pending.isOpenObject {
      self.pending?.depth.read(source, bytes)
      if self.pending?.isOpenObject == false { finish(bytes) }
    }
    return true
  }

  private mutating func noteCut(at place: Int) {
    batch.cutCount += 1
    batch.firstCutOffset = batch.firstCutOffset ?? carryOffset + place
  }

  // MARK: Records

  private mutating func finish(_ bytes: [UInt8]) {
    guard var record = pending.take() else { return }
    let place = LineBatch.Place(
      line: record.place.line, range: carryOffset + record.place.start..<carryOffset + record.place.end)
    switch writer.write(&record, bytes) {
    case .written(let isParsed, let isTimeRead):
      batch.places.append(place)
      if !isParsed, format.form != .text {
        batch.unparsedCount += 1
        if batch.unparsed.count < LineRecords.unparsedMax { batch.unparsed.append(place) }
      }
      if !isTimeRead { batch.timesUnreadCount += 1 }
    case .early: batch.earlyCount += 1
    case .refused(let reason): batch.refusals.append(LineBatch.Refusal(place: place, reason: reason))
    }
    // Its memory is used again.
    if record.kind == .parsed { swap(&record.head, &spare) }
  }

  /// What is not complete too.
  private mutating func finishAll(_ bytes: [UInt8]) {
    for stream in 0..<2 {
      guard let open = partPlaces[stream] else { continue }
      let whole = parts[stream]
      parts[stream] = []
      partPlaces[stream] = nil
      accept(.own(whole), whole.span, Place(open.start, at, open.line), nil, bytes)
    }
    finish(bytes)
  }

  /// The batch up to where the pending record begins.
  private mutating func take(_ bytes: [UInt8]) -> LineBatch? {
    if partPlaces.contains(where: { $0 != nil }) {
      guard writer.byteCount >= options.bytesMax * 2 else { return nil }
      finishAll(bytes)
    }
    let end = pending?.place.start ?? at
    guard end > 0 else { return nil }
    let pendingLines = pending.map { carryLine + lineCount + 1 - $0.place.line } ?? 0
    var taken = LineBatch()
    swap(&taken, &batch)
    taken.body = writer.takeBytes()
    taken.range = carryOffset..<carryOffset + end
    taken.linesBefore = carryLine
    taken.lineCount = lineCount - pendingLines
    if options.keepsSource { taken.source = Array(bytes[..<end]) }
    pending?.move(by: -end)
    carry = Array(bytes[end...])
    carryOffset += end
    carryLine += taken.lineCount
    lineCount = pendingLines
    at -= end
    seen -= end
    return taken
  }
}
