import Codecs
import Records

/// What a recogniser found in a line: ranges of its bytes. Used again for the next line, so that none takes
/// memory of its own.
struct ParsedLine {
  /// A part of the line that has no column.
  struct Field {
    enum Name {
      case ours(StaticString)
      /// As the line has it.
      case text(Range<Int>)
      /// As a pattern has it.
      case given(String)
    }

    let name: Name
    let value: Range<Int>
    /// Whether it is written as a number: it is a whole one without zeros before it.
    var isNumber = false
  }

  /// Nanoseconds since 1970; nil: the line has none, or none that can be read.
  var time: Int64?
  /// A time that cannot be read.
  var unreadTime: Range<Int>?
  var level: LevelName?
  /// The level as it was sent; nil: it is in our words, or there is none.
  var sentLevel: Range<Int>?
  /// A level in a word of nobody's, as it is to stand there.
  var ownLevel: Range<Int>?
  /// The program that wrote it.
  var service: Range<Int>?
  /// Other columns that it gives.
  var columns: [(name: StaticString, value: Range<Int>)] = []
  var message: Range<Int> = 0..<0
  private(set) var fields: [Field] = []

  mutating func clear() {
    (time, unreadTime, level, sentLevel, ownLevel, service) = (nil, nil, nil, nil, nil, nil)
    message = 0..<0
    columns.removeAll(keepingCapacity: true)
    fields.removeAll(keepingCapacity: true)
  }

  /// Whether a field of the name was noted: a record has none twice.
  func has(_ name: StaticString) -> Bool {
    fields.contains { field in
      guard case .ours(let other) = field.name else { return false }
      return name.description.hasBytes(of: other.description)
    }
  }

  /// Whether a pattern's group has the name and gives a member.
  func gives(_ name: StaticString) -> Bool {
    fields.contains { field in
      guard case .given(let other) = field.name else { return false }
      return name.description.hasBytes(of: other)
    }
  }

  /// Notes a field, unless it is empty or `-`.
  mutating func note(_ name: StaticString, _ value: Range<Int>, _ text: Span<UInt8>) {
    guard !value.isEmpty, value.count > 1 || text[value.lowerBound] != UInt8(ascii: "-") else { return }
    fields.append(Field(name: .ours(name), value: value))
  }

  /// Notes a whole number, as text if it is none that JSON has.
  mutating func note(number name: StaticString, _ value: Range<Int>, _ text: Span<UInt8>) {
    guard text.isNumber(value), value.count <= 18,
      value.count == 1 || text[value.lowerBound] != UInt8(ascii: "0")
    else { return note(name, value, text) }
    fields.append(Field(name: .ours(name), value: value, isNumber: true))
  }

  /// Notes a field of a name that a pattern gives, as a number where it is one.
  mutating func note(given name: String, _ value: Range<Int>, _ text: Span<UInt8>) {
    fields.append(
      Field(name: .given(name), value: value, isNumber: PairsForm.isNumber(text, value)))
  }

  /// Takes the word for the level if it is one.
  mutating func take(level word: Range<Int>, _ text: Span<UInt8>) -> Bool {
    guard let level = LevelWord.level(text, word) else { return false }
    self.level = level
    if !LevelWord.isOurs(text, word) { sentLevel = word }
    return true
  }
}

/// Levels as words of a line.
enum LevelWord {
  /// nil: it is none. In any case; single letters are not taken.
  static func level(_ text: Span<UInt8>, _ word: Range<Int>) -> LevelName? {
    guard (3...16).contains(word.count) else { return nil }
    var packed: UInt64 = 0
    guard word.count <= 8 else { return long(text, word) }
    for index in word {
      guard text[index].isLetter else { return nil }
      packed = packed << 8 | UInt64(text[index] | 0x20)
    }
    return levels[packed]
  }

  private static func long(_ text: Span<UInt8>, _ word: Range<Int>) -> LevelName? {
    for index in word where !text[index].isLetter { return nil }
    return LevelName(String(repairing: text.extracting(word)))
  }

  /// Whether it is one of our six words as we write them.
  static func isOurs(_ text: Span<UInt8>, _ word: Range<Int>) -> Bool {
    guard word.count <= 5 else { return false }
    for index in word where !text[index].isUpper { return false }
    return ours.contains { text.is($0, in: word) }
  }

  private static let ours: [StaticString] = ["INFO", "WARN", "ERROR", "DEBUG", "TRACE", "FATAL"]

  private static let levels: [UInt64: LevelName] = {
    // `log` and `config` and such are words of lines too.
    let words: [(LevelName, String)] = [
      (.trace, "trace trc finest finer verbose silly"),
      (.debug, "debug dbug dbg fine"),
      (.info, "info inf notice"),
      (.warn, "warn warning wrn"),
      (.error, "error err eror severe failure"),
      (.fatal, "fatal critical crit alert emerg panic dpanic ftl"),
    ]
    var levels: [UInt64: LevelName] = [:]
    for (level, list) in words {
      for word in list.utf8.split(separator: 0x20) {
        levels[word.reduce(0) { $0 << 8 | UInt64($1) }] = level
      }
    }
    return levels
  }()
}
