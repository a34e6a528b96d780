import Codecs

/// The faults of a body found so far, in the words of pydantic 2.11. None quotes a value.
struct IngestFaults {
  private(set) var errors: [ValidationError] = []

  static let nul = "NUL is not allowed in text"

  var isEmpty: Bool { errors.isEmpty }
  var isFull: Bool { errors.count >= ValidationFailure.errorsMax }

  func check() throws(ValidationFailure) {
    if !errors.isEmpty { throw ValidationFailure(Array(errors.prefix(ValidationFailure.errorsMax))) }
  }

  mutating func add(
    _ place: [ValidationPlace], _ type: String, _ message: String, _ context: [ValidationContext] = []
  ) {
    errors.append(ValidationError(place, type, message, context: context))
  }

  mutating func addValueError(_ place: [ValidationPlace], _ message: String) {
    add(place, "value_error", "Value error, \(message)", [ValidationContext("error", .empty)])
  }

  mutating func missing(_ place: [ValidationPlace]) -> String? {
    add(place, "missing", "Field required")
    return nil
  }

  mutating func choice(_ place: [ValidationPlace], _ words: [String]) -> String? {
    let quoted = words.map { "'\($0)'" }
    let expected = quoted.dropLast().joined(separator: ", ") + " or " + (quoted.last ?? "")
    add(place, "enum", "Input should be \(expected)", [ValidationContext("expected", .text(expected))])
    return nil
  }

  mutating func pattern(_ place: [ValidationPlace], _ pattern: String) -> String? {
    add(
      place, "string_pattern_mismatch", "String should match pattern '\(pattern)'",
      [ValidationContext("pattern", .text(pattern))])
    return nil
  }

  /// The text that `value` is, if its length in Unicode scalars lies in `range`.
  mutating func text(_ value: JSONTree, at place: [ValidationPlace], _ range: ClosedRange<Int>) -> String? {
    guard case .string(let text) = value else {
      add(place, "string_type", "Input should be a valid string")
      return nil
    }
    let count = text.unicodeScalars.count
    guard count >= range.lowerBound else {
      add(
        place, "string_too_short",
        "String should have at least \(IngestFaults.count(range.lowerBound, "character"))",
        [ValidationContext("min_length", .number(range.lowerBound))])
      return nil
    }
    guard count <= range.upperBound else {
      add(
        place, "string_too_long",
        "String should have at most \(IngestFaults.count(range.upperBound, "character"))",
        [ValidationContext("max_length", .number(range.upperBound))])
      return nil
    }
    guard !text.utf8.contains(0) else {
      addValueError(place, IngestFaults.nul)
      return nil
    }
    return text
  }

  /// Nanoseconds since 1970; 0 with a fault.
  mutating func time(_ value: JSONTree?, at place: [ValidationPlace]) -> Int64 {
    var time: Int64?
    var reason = "the time is not between the years 1677 and 2262"
    switch value {
    case nil:
      add(place, "missing", "Field required")
      return 0
    case .string(let text)?:
      time = FlexibleTime.nanoseconds(text)
      reason = FlexibleTime.reason(text)
    case .int64(let number)?: time = FlexibleTime.nanoseconds(Double(number))
    case .float64(let number)?: time = FlexibleTime.nanoseconds(number)
    case .number(let text)?: time = Double(text).flatMap { FlexibleTime.nanoseconds($0) }
    default:
      add(place, "datetime_type", "Input should be a valid datetime")
      return 0
    }
    guard let time else {
      add(
        place, "datetime_from_date_parsing", "Input should be a valid datetime or date, \(reason)",
        [ValidationContext("error", .text(reason))])
      return 0
    }
    return time
  }

  /// `1 item`, `2 items`.
  static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

  /// `1MB`, `32KB`, `100 bytes`.
  static func size(_ bytes: Int) -> String {
    if bytes > 0, bytes % (1 << 20) == 0 { return "\(bytes >> 20)MB" }
    if bytes > 0, bytes % (1 << 10) == 0 { return "\(bytes >> 10)KB" }
    return "\(bytes) bytes"
  }
}
