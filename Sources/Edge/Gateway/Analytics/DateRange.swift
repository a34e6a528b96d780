import Codecs
import Decoding

/// A range of time as Cube's queries say it: two times, a date, or words. The end is not included.
struct DateRange: Sendable, Hashable {
  let start: Int64
  let end: Int64

  /// `["2025-06-01","2025-06-30"]`, `"2025-06-26"`, `"last 30 days"`.
  ///
  /// "last n units" are the n whole ones before the present one, "next n" those behind it, "this" is the present one;
  /// "today", "yesterday", "tomorrow" are days; "from n units ago to now" is what it says.
  ///
  /// - Returns: nil for anything else.
  init?(_ value: JSONTree, now: Int64, offset: Int64) {
    switch value {
    case .array(let ends) where ends.count == 2:
      guard let first = ends[0].string, let last = ends[1].string,
        let start = DateRange.time(first, offset: offset), let end = DateRange.time(last, offset: offset)
      else { return nil }
      // An end is included: a date to its last moment, a time to its millisecond.
      self.init(start: start, end: end.plus(last.utf8.count == 10 ? 86_400_000_000_000 : 1_000_000))
    case .array(let ends) where ends.count == 1: self.init(ends[0], now: now, offset: offset)
    case .string(let text): self.init(words: text, now: now, offset: offset)
    default: return nil
    }
  }

  private init(start: Int64, end: Int64) {
    self.start = start
    self.end = end
  }

  private init?(words text: String, now: Int64, offset: Int64) {
    func whole(_ unit: CalendarDate.Unit, from first: Int, to last: Int) -> DateRange {
      DateRange(
        start: CalendarDate.start(of: unit, at: now, plus: first, offset: offset),
        end: CalendarDate.start(of: unit, at: now, plus: last + 1, offset: offset))
    }
    let words = text.lowercased().split(separator: " ").map(String.init)
    switch words {
    case ["today"]: self = whole(.day, from: 0, to: 0)
    case ["yesterday"]: self = whole(.day, from: -1, to: -1)
    case ["tomorrow"]: self = whole(.day, from: 1, to: 1)
    default:
      if words.count == 2, let unit = DateRange.unit(words[1]) {
        switch words[0] {
        case "this": self = whole(unit, from: 0, to: 0)
        case "last": self = whole(unit, from: -1, to: -1)
        case "next": self = whole(unit, from: 1, to: 1)
        default: return nil
        }
      } else if words.count == 3, let unit = DateRange.unit(words[2]), let count = DateRange.count(words[1]) {
        switch words[0] {
        case "last": self = whole(unit, from: -count, to: -1)
        case "next": self = whole(unit, from: 1, to: count)
        default: return nil
        }
      } else if words.count == 6, words[0] == "from", Array(words[3...]) == ["ago", "to", "now"],
        let unit = DateRange.unit(words[2]), let count = DateRange.count(words[1])
      {
        self.init(start: CalendarDate.start(of: unit, at: now, plus: -count, offset: offset), end: now)
      } else if words.count == 1, let start = DateRange.time(text, offset: offset) {
        self.init(start: start, end: start.plus(text.utf8.count == 10 ? 86_400_000_000_000 : 1_000_000))
      } else {
        return nil
      }
    }
  }

  private static func count(_ text: String) -> Int? {
    Int(text).flatMap { (1...100_000).contains($0) ? $0 : nil }
  }

  private static func unit(_ word: String) -> CalendarDate.Unit? {
    CalendarDate.Unit(rawValue: word.hasSuffix("s") ? String(word.dropLast()) : word)
  }

  /// Times without a zone are of the query's.
  static func time(_ text: String, offset: Int64) -> Int64? {
    if let time = RFC3339.parse(text) { return time }
    guard text.utf8.count >= 10, text.utf8.first.map({ $0 >= 0x30 && $0 <= 0x39 }) == true else { return nil }
    return FlexibleTime.nanoseconds(text).map { $0.plus(-offset) }
  }
}
