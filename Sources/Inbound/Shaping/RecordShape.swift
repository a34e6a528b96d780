import Codecs
import Records

/// What a JSON object that somebody's logger wrote says in the columns of the dataset `logs`.
///
/// Of the names that loggers have for a column the first that is there and fits gives it. All else goes into
/// `metadata` as it was sent, and so does what a column does not keep: a level in other words, a time that
/// cannot be read, a message that is no text. Nothing is refused but what is no JSON. Immutable: make one and
/// keep it.
package struct RecordShape: Sendable {
  /// A column that is looked for.
  enum Role: Int, Sendable, CaseIterable { case message, time, level, service, env, trace, span }

  /// A name's place among those of its column.
  struct Rank: Sendable, Hashable {
    let role: Role
    let place: Int
    /// Of a level's name: whose numbers it has.
    let numbers: LevelName.Numbers
    /// Whether a word that nobody knows gives the column.
    var takesAnyWord: Bool { place >= 0 }
  }

  /// By names as they are written, dots included.
  private let ranks: [Name: Rank]
  /// Objects that are looked into: of `log`, `log.level`.
  private let parents: Set<Name>

  /// With the names that loggers are known to use (Docs/shapes.md).
  ///
  /// - Parameter levels: Names of levels that go before these, the first one first. They may mean other
  ///   things too: only words that are known, and syslog's numbers, give a level.
  package init(levels: [String] = []) {
    var ranks: [Name: Rank] = [:]
    var parents: Set<Name> = []
    for (place, name) in levels.enumerated() {
      ranks[Name(name)] = Rank(role: .level, place: place - levels.count, numbers: .syslog)
    }
    for (role, names) in RecordShape.names {
      for (place, name) in names.enumerated() {
        ranks[Name(name)] = Rank(role: role, place: place, numbers: RecordShape.numbers[Name(name)] ?? .any)
        if let dot = name.utf8.firstIndex(of: UInt8(ascii: ".")) {
          parents.insert(Name(String(name[..<dot])))
        }
      }
    }
    self.ranks = ranks
    self.parents = parents
  }

  private static let names: [(Role, [String])] = [
    (
      .message,
      [
        "message", "msg", "_msg", "log", "text", "body", "short_message", "MESSAGE", "event.original",
        "full_message", "line", "@message", "@m", "@mt",
      ]
    ),
    (
      .time,
      [
        "timestamp", "time", "ts", "@timestamp", "t", "_time", "eventTime", "asctime", "datetime", "@t",
        "__REALTIME_TIMESTAMP",
      ]
    ),
    (
      .level,
      [
        "level", "severity", "lvl", "log.level", "loglevel", "log_level", "levelname", "levelno", "@l",
        "severity_text", "severityText", "severity_number", "severityNumber", "PRIORITY",
        "otel.log.severity.text", "otel.log.severity.number",
      ]
    ),
    (
      .service,
      [
        "service", "service.name", "service_name", "serviceName", "app", "application", "logger_service",
        "SYSLOG_IDENTIFIER", "kubernetes.container_name",
      ]
    ),
    (
      .env,
      [
        "env", "environment", "service.environment", "deployment.environment.name", "deployment.environment",
        "deployment_environment",
      ]
    ),
    (.trace, ["trace_id", "trace.id", "traceId", "traceid", "traceID", "dd.trace_id", "otelTraceID"]),
    (.span, ["span_id", "span.id", "spanId", "spanid", "spanID", "dd.span_id", "otelSpanID"]),
  ]

  private static let numbers: [Name: LevelName.Numbers] = [
    "PRIORITY": .syslog, "severity_number": .openTelemetry, "severityNumber": .openTelemetry,
    "otel.log.severity.number": .openTelemetry, "levelno": .python,
  ]

  /// How a record came out.
  package struct Outcome: Sendable, Hashable {
    /// Whether a time is among the members that cannot be read: it stays there, and the record has none.
    package var hasUnreadableTime = false
    /// Nanoseconds since 1970, where it has one.
    package var time: Int64?
  }

  /// What is known of a record beside its object.
  package struct Given {
    /// Nanoseconds since 1970; goes before what the object says, which stays in `metadata`.
    package var time: Int64?
    /// Of a record that names none.
    package var service: String?
    /// Of a record that names none.
    package var env: String?
    /// Of a record that names none, as it is to stand there.
    package var level: String?
    /// Members that are written elsewhere: `metadata` is without them.
    package var apart: Set<Name> = []
    /// Stands before another object of the same text, whose members give what the first does not say of
    /// level, service, environment, trace and span. They are not written.
    package var columns: JSONReader?

    /// Nothing.
    package init() {}
  }

  /// Reads the object at hand and writes the members of a record for it, ``bytesMax(_:)`` at most beside
  /// what is given.
  ///
  /// - Parameters:
  ///   - reader: Stands before the object; behind it afterwards.
  ///   - body: What it reads.
  ///   - given: What is known beside it.
  /// - Returns: nil: it is JSON and no object; nothing was written.
  /// - Throws: It is broken; nothing was written.
  package func write(
    _ reader: inout JSONReader, of body: [UInt8], to text: inout JSONWriter, times: LogTime,
    given: Given = Given()
  ) throws(JSONTree.SyntaxError) -> Outcome? {
    guard reader.peek() == UInt8(ascii: "{") else {
      try reader.skip()
      return nil
    }
    var reading = ShapeReading()
    try read(&reader, prefix: nil, into: &reading)
    if var columns = given.columns {
      var beside = ShapeReading()
      try read(&columns, prefix: nil, into: &beside)
      reading.add(beside)
    }
    return reading.write(of: body, to: &text, times: times, given)
  }

  /// What an object of `byteCount` bytes comes to at most: a text that is no message may stand twice.
  package static func bytesMax(_ byteCount: Int) -> Int { byteCount * 3 + 1_024 }

  private func read(
    _ reader: inout JSONReader, prefix: String?, into reading: inout ShapeReading
  ) throws(JSONTree.SyntaxError) {
    try reader.open()
    var names = JSONNames()
    while let name = try reader.member(&names) {
      let kind = ShapeReading.Kind(reader.peek())
      let start = reader.at
      if prefix == nil, kind == .object, parents.contains(Name(name)) {
        // A look ahead: it is read once more below, as a whole.
        var inner = reader
        try read(&inner, prefix: name, into: &reading)
      }
      try reader.skip()
      let value = start..<reader.at
      let member = prefix == nil ? reading.members.count : nil
      if let rank = ranks[Name(prefix.map { "\($0).\(name)" } ?? name)] {
        reading.note(rank, ShapeReading.Candidate(value: value, kind: kind, member: member))
      }
      if prefix == nil { reading.members.append(ShapeReading.Member(name: name, value: value)) }
    }
  }
}

/// An object while it is read: where its members lie, and which may give columns.
struct ShapeReading {
  struct Member {
    let name: String
    let value: Range<Int>
    /// Whether a column keeps all it says.
    var isKept = false
  }

  enum Kind {
    case text, number, object, null, other

    /// By a value's first byte.
    init(_ first: UInt8?) {
      switch first ?? 0 {
      case UInt8(ascii: "\""): self = .text
      case UInt8(ascii: "-"), 0x30...0x39: self = .number
      case UInt8(ascii: "{"): self = .object
      case UInt8(ascii: "n"): self = .null
      default: self = .other
      }
    }
  }

  struct Candidate {
    let value: Range<Int>
    let kind: Kind
    /// Which member it is; nil: a member of a member.
    let member: Int?
  }

  var members: [Member] = []
  /// nil: one of the members may tell it.
  var time: Int64?
  private var candidates: [[(rank: RecordShape.Rank, candidate: Candidate)]] = Array(
    repeating: [], count: RecordShape.Role.allCases.count)

  mutating func note(_ rank: RecordShape.Rank, _ candidate: Candidate) {
    let role = rank.role.rawValue
    let index = candidates[role].firstIndex { $0.rank.place > rank.place } ?? candidates[role].count
    candidates[role].insert((rank, candidate), at: index)
  }

  /// Takes what another object says behind what this one does.
  mutating func add(_ other: ShapeReading) {
    for role in [RecordShape.Role.level, .service, .env, .trace, .span] {
      for (rank, candidate) in other.candidates[role.rawValue] {
        candidates[role.rawValue].append(
          (rank, Candidate(value: candidate.value, kind: candidate.kind, member: nil)))
      }
    }
  }

  mutating func write(
    of body: [UInt8], to text: inout JSONWriter, times: LogTime, _ given: RecordShape.Given
  ) -> RecordShape.Outcome {
    var outcome = RecordShape.Outcome()
    if let time = given.time {
      text.name("timestamp")
      text.value(time: time)
    } else {
      writeTime(of: body, to: &text, times, &outcome)
    }
    writeMessage(of: body, to: &text)
    if !writeLevel(of: body, to: &text), let level = given.level {
      text.name("level")
      text.value(repaired: level)
    }
    if !writeText(.service, "service", of: body, to: &text), let service = given.service {
      text.name("service")
      text.value(repaired: service)
    }
    if !writeText(.env, "env", of: body, to: &text), let env = given.env {
      text.name("env")
      text.value(repaired: env)
    }
    _ = writeText(.trace, "trace_id", of: body, to: &text)
    _ = writeText(.span, "span_id", of: body, to: &text)
    text.name("metadata")
    text.beginObject()
    for member in members where !member.isKept && !given.apart.contains(Name(member.name)) {
      text.name(text: member.name)
      text.value(written: body.span.extracting(member.value))
    }
    text.endObject()
    return outcome
  }

  private mutating func keep(_ candidate: Candidate) {
    if let member = candidate.member { members[member].isKept = true }
  }

  private mutating func writeTime(
    of body: [UInt8], to text: inout JSONWriter, _ times: LogTime, _ outcome: inout RecordShape.Outcome
  ) {
    for (_, candidate) in candidates[RecordShape.Role.time.rawValue] where candidate.kind != .null {
      let time: Int64? =
        switch candidate.kind {
        case .text: times.nanoseconds(ShapeReading.string(candidate.value, body))
        case .number: UnixTime.nanoseconds(body.span.extracting(candidate.value))
        case .object, .null, .other: nil
        }
      guard let time else {
        outcome.hasUnreadableTime = true
        continue
      }
      text.name("timestamp")
      text.value(time: time)
      outcome.time = time
      outcome.hasUnreadableTime = false
      return keep(candidate)
    }
  }

  /// The first that is a text, else the first number or word as text. Of objects and lists none: their copy
  /// as text would not be masked by names.
  private mutating func writeMessage(of body: [UInt8], to text: inout JSONWriter) {
    let all = candidates[RecordShape.Role.message.rawValue].map(\.candidate)
    text.name("message")
    if let message = all.first(where: { $0.kind == .text }) {
      text.value(written: body.span.extracting(message.value))
      return keep(message)
    }
    if let message = all.first(where: { $0.kind == .number || $0.kind == .other }),
      body[message.value.lowerBound] != UInt8(ascii: "[")
    {
      text.value(repaired: body.span.extracting(message.value))
    } else {
      text.value("")
    }
  }

  /// Whether there is one.
  private mutating func writeLevel(of body: [UInt8], to text: inout JSONWriter) -> Bool {
    for (rank, candidate) in candidates[RecordShape.Role.level.rawValue] {
      var level: String?
      switch candidate.kind {
      case .text:
        let word = ShapeReading.string(candidate.value, body)
        let known = LevelName(word) ?? Int64(word).flatMap { LevelName($0, of: rank.numbers) }
        let isAnyWord = rank.takesAnyWord && !word.isEmpty && word.utf8.count <= 64
        level = known?.rawValue ?? (isAnyWord ? word : nil)
        if let level, level.hasBytes(of: word) { keep(candidate) }
      case .number:
        let digits = String(decoding: body[candidate.value], as: UTF8.self)
        level = Int64(digits).flatMap { LevelName($0, of: rank.numbers)?.rawValue }
      case .object, .null, .other: break
      }
      guard let level else { continue }
      text.name("level")
      text.value(level)
      return true
    }
    return false
  }

  /// Whether there is such a text.
  private mutating func writeText(
    _ role: RecordShape.Role, _ column: StaticString, of body: [UInt8], to text: inout JSONWriter
  ) -> Bool {
    // Of two bytes it is an empty text.
    let found = candidates[role.rawValue].first {
      $0.candidate.kind == .text && $0.candidate.value.count > 2
    }
    guard let candidate = found?.candidate else { return false }
    text.name(column)
    text.value(written: body.span.extracting(candidate.value))
    keep(candidate)
    return true
  }

  /// What a JSON string that was checked stands for.
  private static func string(_ range: Range<Int>, _ body: [UInt8]) -> String {
    let inside = range.lowerBound + 1..<range.upperBound - 1
    guard body[inside].contains(UInt8(ascii: "\\")) else {
      return String(decoding: body[inside], as: UTF8.self)
    }
    var bytes: [UInt8] = []
    JSONScanner.appendUnescapedInside(body.span, inside, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }
}
