import Codecs
import Records

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
    /// Which member it is; nil: one that stays where it is, as a member of a member does.
    let member: Int?
  }

  var members: [Member] = []
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

  /// Members at the names of times that are not `null`, and what they say.
  private func times(
    of body: [UInt8], _ times: LogTime
  ) -> some Sequence<(candidate: Candidate, time: Int64?)> {
    candidates[RecordShape.Role.time.rawValue].lazy.map(\.candidate).filter { $0.kind != .null }
      .map { candidate in
        let time: Int64? =
          switch candidate.kind {
          case .text: times.nanoseconds(JSONScanner.text(body, candidate.value))
          case .number: UnixTime.nanoseconds(body.span.extracting(candidate.value))
          case .object, .null, .other: nil
          }
        return (candidate, time)
      }
  }

  /// Where the first time lies, if there is one and none can be read.
  func unreadTime(of body: [UInt8], _ times: LogTime) -> Int? {
    var first: Int?
    for (candidate, time) in self.times(of: body, times) {
      if time != nil { return nil }
      first = first ?? candidate.value.lowerBound
    }
    return first
  }

  private mutating func writeTime(
    of body: [UInt8], to text: inout JSONWriter, _ times: LogTime, _ outcome: inout RecordShape.Outcome
  ) {
    for (candidate, time) in self.times(of: body, times) {
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
        let word = JSONScanner.text(body, candidate.value)
        let known = LevelName(word) ?? Int64(word).flatMap { LevelName($0, of: rank.numbers) }
        let isAnyWord =
          rank.takesAnyWord && !word.isEmpty && word.utf8.count <= 64
          && !RecordShape.noLevels.contains(Name(word))
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
}

extension FieldMapping.Column {
  var role: RecordShape.Role {
    switch self {
    case .message: .message
    case .timestamp: .time
    case .level: .level
    case .service: .service
    case .env: .env
    case .trace: .trace
    case .span: .span
    }
  }
}
