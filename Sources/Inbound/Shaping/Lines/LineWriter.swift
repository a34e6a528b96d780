import Codecs
import Records

/// Writes records as lines of JSON in the columns of the dataset `logs`.
struct LineWriter: ~Copyable {
  enum Outcome {
    case written(isParsed: Bool, isTimeRead: Bool)
    /// It is older than was asked for.
    case early
    case refused(String)
  }

  private var text = JSONWriter(capacity: 1 << 20)
  private let options: LineRecords.Options
  private let texts: LogTime
  private let shape: RecordShape
  private let levelText: String?
  /// Of the record before: what stands between records was written when they were.
  private var time: Int64?

  init(_ options: LineRecords.Options) {
    self.options = options
    texts = options.times.texts
    shape = RecordShape().mapped(by: options.mapping)
    levelText = options.level.map { LevelName($0)?.rawValue ?? $0 }
  }

  var byteCount: Int { text.byteCount }

  mutating func takeBytes() -> [UInt8] { text.takeBytes() }

  mutating func write(_ record: inout Pending, _ bytes: [UInt8]) -> Outcome {
    let (source, range): ([UInt8], Range<Int>) =
      switch record.source {
      case .range(let range): (bytes, range)
      case .own(let own): (own, 0..<own.count)
      }
    switch record.kind {
    case .object: return write(object: Array(source[range]), record.envelope)
    case .made(let object): return write(object: object, record.envelope)
    case .parsed:
      if isEarly(record.envelope?.time ?? record.head.time) { return .early }
      if options.mapping.refusesUnreadTimes, record.head.unreadTime != nil, record.envelope?.time == nil {
        return .refused("the time cannot be read")
      }
      write(record.head, source.span.extracting(range), isLong: record.lineCount > 1, record.envelope)
      return .written(isParsed: true, isTimeRead: record.head.unreadTime == nil)
    case .raw:
      if isEarly(record.envelope?.time ?? time) { return .early }
      write(raw: source.span.extracting(range), record.envelope)
      return .written(isParsed: false, isTimeRead: true)
    }
  }

  /// Notes the time too: lines that follow are of it.
  private mutating func isEarly(_ time: Int64?) -> Bool {
    guard let time, let since = options.since, time < since else { return false }
    self.time = time
    return true
  }

  // MARK: Lines

  private mutating func write(
    _ line: ParsedLine, _ record: Span<UInt8>, isLong: Bool, _ envelope: EnvelopedLine?
  ) {
    text.beginObject()
    writeTime(envelope?.time ?? line.time)
    if let level = line.ownLevel {
      text.name("level")
      text.value(repaired: record.extracting(level))
    } else if let level = line.level?.rawValue ?? levelText {
      text.name("level")
      text.value(level)
    }
    if let service = options.service {
      text.name("service")
      text.value(repaired: service)
    } else if let service = line.service {
      text.name("service")
      text.value(repaired: record.extracting(service))
    }
    for (name, value) in line.columns {
      text.name(name)
      text.value(repaired: record.extracting(value))
    }
    let end = isLong ? record.count : line.message.upperBound
    text.name("message")
    text.value(repaired: record.extracting(min(line.message.lowerBound, end)..<end))
    writeLabels(envelope)
    writeMetadata(line, record)
    finish()
  }

  private mutating func writeMetadata(_ line: ParsedLine, _ record: Span<UInt8>) {
    let program = options.service == nil ? nil : line.service
    guard !line.fields.isEmpty || line.sentLevel != nil || line.unreadTime != nil || program != nil else {
      return
    }
    text.name("metadata")
    text.beginObject()
    if let time = line.unreadTime, !line.gives("time") {
      text.name("time")
      text.value(repaired: record.extracting(time))
    }
    if let level = line.sentLevel, !line.gives("level") {
      text.name("level")
      text.value(repaired: record.extracting(level))
    }
    if let program, !line.gives("program") {
      text.name("program")
      text.value(repaired: record.extracting(program))
    }
    for field in line.fields {
      switch field.name {
      case .ours(let name): text.name(name)
      case .text(let range): text.name(repaired: String(repairing: record.extracting(range)))
      case .given(let name): text.name(text: name)
      }
      let value = record.extracting(field.value)
      if field.isNumber { text.value(written: value) } else { text.value(repaired: value) }
    }
    text.endObject()
  }

  private mutating func write(raw line: Span<UInt8>, _ envelope: EnvelopedLine?) {
    text.beginObject()
    writeTime(envelope?.time ?? time)
    if let levelText {
      text.name("level")
      text.value(repaired: levelText)
    }
    if let service = options.service {
      text.name("service")
      text.value(repaired: service)
    }
    text.name("message")
    text.value(repaired: line)
    writeLabels(envelope)
    finish()
  }

  private mutating func writeTime(_ time: Int64?) {
    guard let time else { return }
    self.time = time
    text.name("timestamp")
    text.value(time: time)
  }

  private mutating func writeLabels(_ envelope: EnvelopedLine?) {
    guard !options.labels.isEmpty || envelope != nil else { return }
    text.name("labels")
    text.beginObject()
    if let envelope {
      text.name("stream")
      text.value(envelope.isError ? "stderr" : "stdout")
    }
    text.members(options.labels)
    text.endObject()
  }

  private mutating func finish() {
    text.endObject()
    text.append(0x0A)
    text.beginLine()
  }

  // MARK: Objects

  private mutating func write(object: [UInt8], _ envelope: EnvelopedLine?) -> Outcome {
    var object = object
    if !UTF8Repair.isValid(object.span) {
      var repaired: [UInt8] = []
      _ = UTF8Repair.append(object.span, to: &repaired)
      object = repaired
    }
    object = JSONRepair.repaired(object)
    var given = RecordShape.Given()
    given.time = envelope?.time
    given.service = options.service
    given.level = levelText
    var reader = JSONReader(object)
    let start = text.byteCount
    text.beginObject()
    do throws(JSONTree.SyntaxError) {
      let outcome = try shape.write(&reader, of: object, to: &text, times: texts, given: given)
      try reader.end()
      if isEarly(outcome?.time ?? given.time) {
        text.cut(to: start)
        return .early
      }
      time = outcome?.time ?? given.time ?? time
      writeLabels(envelope)
      finish()
      return .written(isParsed: true, isTimeRead: outcome?.hasUnreadableTime != true)
    } catch {
      text.cut(to: start)
      if object.count >= LineRecords.recordBytesMax {
        return .refused("it is longer than \(LineRecords.recordBytesMax) bytes")
      }
      return .refused("at byte \(error.offsetBytes) of the record: \(error.reason)")
    }
  }
}
