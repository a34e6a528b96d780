import Codecs

/// The faults of a request found so far, in the words of pydantic 2.11: what collects them for every API that
/// tells them all at once. None quotes a value.
package struct ValidationFaults: Sendable {
  /// In the order they were found.
  package private(set) var errors: [ValidationError] = []

  /// Of text with a NUL, as a value error has it.
  package static let nul = "NUL is not allowed in text"

  /// Nothing found yet.
  package init() {}

  /// Whether nothing is wrong so far.
  package var isEmpty: Bool { errors.isEmpty }
  /// Whether as many were found as are told.
  package var isFull: Bool { errors.count >= ValidationFailure.errorsMax }

  /// - Throws: The first ``ValidationFailure/errorsMax`` of them, if there are any.
  package func check() throws(ValidationFailure) {
    if !errors.isEmpty { throw ValidationFailure(Array(errors.prefix(ValidationFailure.errorsMax))) }
  }

  /// Notes a fault.
  package mutating func add(
    _ place: [ValidationPlace], _ type: String, _ message: String, _ context: [ValidationContext] = []
  ) {
    errors.append(ValidationError(place, type, message, context: context))
  }

  /// Notes a fault that pydantic has no type for.
  package mutating func addValueError(_ place: [ValidationPlace], _ message: String) {
    add(place, "value_error", "Value error, \(message)", [ValidationContext("error", .empty)])
  }

  /// Notes that a field is not there; nil, as its value.
  package mutating func missing(_ place: [ValidationPlace]) -> String? {
    add(place, "missing", "Field required")
    return nil
  }

  /// The text that `value` is, if its length in Unicode scalars lies in `range`; else nil, with a fault.
  package mutating func text(
    _ value: JSONTree, at place: @autoclosure () -> [ValidationPlace], _ range: ClosedRange<Int>
  ) -> String? {
    guard case .string(let text) = value else {
      add(place(), "string_type", "Input should be a valid string")
      return nil
    }
    let count = text.unicodeScalars.count
    guard count >= range.lowerBound else {
      add(
        place(), "string_too_short",
        "String should have at least \(ValidationFaults.count(range.lowerBound, "character"))",
        [ValidationContext("min_length", .number(range.lowerBound))])
      return nil
    }
    guard count <= range.upperBound else {
      add(
        place(), "string_too_long",
        "String should have at most \(ValidationFaults.count(range.upperBound, "character"))",
        [ValidationContext("max_length", .number(range.upperBound))])
      return nil
    }
    guard !text.utf8.contains(0) else {
      addValueError(place(), ValidationFaults.nul)
      return nil
    }
    return text
  }

  /// The nanoseconds since 1970 that `value` stands for; nil with a fault.
  ///
  /// - Parameter takesDates: Whether the words for other texts speak of dates too.
  package mutating func time(
    _ value: JSONTree, at place: @autoclosure () -> [ValidationPlace], takesDates: Bool
  ) -> Int64? {
    let time: Int64?
    var reason = "the time is not between the years 1677 and 2262"
    switch value {
    case .string(let text):
      time = FlexibleTime.nanoseconds(text)
      if time == nil { reason = FlexibleTime.reason(text) }
    case .int64, .float64, .number: time = UnixTime.nanoseconds(value)
    case .null, .bool, .array, .object:
      add(place(), "datetime_type", "Input should be a valid datetime")
      return nil
    }
    if time == nil {
      add(
        place(), takesDates ? "datetime_from_date_parsing" : "datetime_parsing",
        "Input should be a valid datetime\(takesDates ? " or date" : ""), \(reason)",
        [ValidationContext("error", .text(reason))])
    }
    return time
  }

  /// `1 item`, `2 items`.
  package static func count(_ count: Int, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }
}

// What is wrong with a body as a whole
extension ValidationFailure {
  /// One fault alone.
  package init(
    _ place: [ValidationPlace], _ type: String, _ message: String, _ context: [ValidationContext] = []
  ) {
    self.init([ValidationError(place, type, message, context: context)])
  }

  /// A request without a body.
  package static let noBody = ValidationFailure([.name("body")], "missing", "Field required")

  /// A body that is JSON but no object, or is not sent as JSON at all.
  package static let notAnObject = ValidationFailure([.name("body")], notAnObjectType, notAnObjectMessage)

  /// The words for what is no object where one is wanted.
  package static let notAnObjectType = "model_attributes_type"
  /// As ``notAnObjectType``.
  package static let notAnObjectMessage =
    "Input should be a valid dictionary or object to extract fields from"

  /// A body that is no JSON, or has an object with a name twice.
  package init(syntax error: JSONTree.SyntaxError) {
    self =
      error.repeatedName.map { name in
        ValidationFailure(
          [.name("body"), .name(name)], "value_error", "Value error, \"\(name)\" is twice in one object")
      } ?? ValidationFailure.notJSON(at: error.offsetBytes)
  }

  /// A body that is no JSON.
  ///
  /// - Parameter offset: Where that is seen.
  package static func notJSON(at offset: Int, _ context: [ValidationContext] = []) -> ValidationFailure {
    ValidationFailure([.name("body"), .index(offset)], "json_invalid", "JSON decode error", context)
  }
}
