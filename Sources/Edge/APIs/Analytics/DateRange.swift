import Codecs
import Decoding
import Querying
import Records
import Routing

/// A range of time as Cube's queries say it: two times, a date, or words.
struct DateRange: Sendable, Hashable {
  let start: Int64
  /// Not included; nil: up to the last time there is.
  let end: Int64?
  /// Two times were said, the later one first.
  var isReversed = false

  /// `["2025-06-01","2025-06-30"]`, `"2025-06-26"`, `"last 30 days"`.
  ///
  /// "last n units" are the n whole ones before the present one, "next n" those behind it, "this" is the
  /// present one; "today", "yesterday", "tomorrow" are days; "from n units ago to now" is what it says. Each
  /// end is of the offset that holds then.
  ///
  /// - Returns: nil for anything else.
  init?(_ value: JSONTree, now: Int64, zone: UTCOffsets) {
    switch value {
    case .array(let ends) where ends.count == 2:
      guard let first = ends[0].string, let last = ends[1].string,
        let start = DateRange.time(first, zone: zone)?.lowerBound,
        let end = DateRange.end(last, zone: zone)
      else { return nil }
      self.init(start: start, end: end)
      // A day that a zone's calendar skips is empty and in order.
      isReversed =
        end.map { $0 <= start } == true && DateRange.time(last, zone: zone)?.lowerBound != start
    case .array(let ends) where ends.count == 1: self.init(ends[0], now: now, zone: zone)
    case .string(let text): self.init(words: text, now: now, zone: zone)
    default: return nil
    }
  }

  /// Its first and its last millisecond as `zone` shows them, as Cube's answers repeat ranges.
  func texts(in zone: UTCOffsets) -> [String] {
    let last = end?.addingClamped(-1_000_000) ?? .max
    return [CalendarDate.text(of: start, in: zone), CalendarDate.text(of: last, in: zone)]
  }

  private init(start: Int64, end: Int64?) {
    self.start = start
    self.end = end
  }

  private init?(words text: String, now: Int64, zone: UTCOffsets) {
    func whole(_ unit: CalendarDate.Unit, from first: Int, to last: Int) -> DateRange {
      DateRange(
        start: CalendarDate.start(of: unit, at: now, plus: first, zone: zone),
        end: DateRange.bound(CalendarDate.start(of: unit, at: now, plus: last + 1, zone: zone)))
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
        self.init(start: CalendarDate.start(of: unit, at: now, plus: -count, zone: zone), end: now)
      } else if words.count == 1, let start = DateRange.time(text, zone: zone)?.lowerBound,
        let end = DateRange.end(text, zone: zone)
      {
        self.init(start: start, end: end)
      } else {
        return nil
      }
    }
  }

  private static func count(_ text: String) -> Int? {
    Int(text).flatMap { (1...100_000).contains($0) ? $0 : nil }
  }

  private static func unit(_ word: String) -> CalendarDate.Unit? {
    CalendarDate.Unit(word: word.hasSuffix("s") ? String(word.dropLast()) : word)
  }

  /// What begins behind all times, and so was cut to the last of them, is no bound.
  private static func bound(_ start: Int64) -> Int64? { start == .max ? nil : start }

  /// An end is included: a date to its last moment, a time to its millisecond. nil: it is neither.
  private static func end(_ text: String, zone: UTCOffsets) -> Int64?? {
    if FlexibleTime.isDate(text) {
      return time(text, zone: zone, daysLater: 1).map { bound($0.lowerBound) }
    }
    return time(text, zone: zone).map(\.upperBound.endBehind)
  }

  /// The times that answers show so, to the millisecond. Without an offset they are what `zone` shows: the
  /// first moment if it does so twice, and the moment it is set past them if never.
  static func time(_ text: String, zone: UTCOffsets, daysLater: Int = 0) -> ClosedRange<Int64>? {
    let width: Int64 = 1_000_000
    if let time = RFC3339.range(text, of: width) { return time }
    guard text.utf8.count >= 10, text.utf8.first.map({ $0 >= 0x30 && $0 <= 0x39 }) == true,
      let shown = FlexibleTime.range(text, of: width)
    else { return nil }
    // Since 1970.
    if Double(text) != nil { return shown }
    func moment(_ shown: Int64) -> Int64 {
      let local = shown.wholeSeconds + daysLater * 86_400
      let second = zone.firstSecond(showing: local)
      return Int64.nanoseconds(second, beyond: zone.local(second) == local ? shown.beyondSeconds : 0)
    }
    let first = moment(shown.lowerBound)
    return first...max(first, moment(shown.upperBound))
  }
}
