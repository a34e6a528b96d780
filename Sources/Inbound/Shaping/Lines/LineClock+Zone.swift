import Codecs

extension LineClock.Zone {
  /// Reads the zone behind a time, if there is one.
  init(_ text: Span<UInt8>, _ scan: inout LineScan) {
    self = .none
    var ahead = scan
    let hasBlank = ahead.take(" ", text)
    let sign = ahead.peek(text)
    if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      ahead.at += 1
      guard let seconds = LineClock.Zone.offset(text, &ahead, isApart: hasBlank) else { return }
      self = .offset(sign == UInt8(ascii: "+") ? seconds : -seconds)
      scan = ahead
      return
    }
    if !hasBlank, ahead.take("Z", text) || ahead.take("z", text), !ahead.peek(text).isLetter {
      self = .offset(0)
      scan = ahead
      return
    }
    // Names of zones have three or four large letters, as levels do: those are no names.
    let start = ahead.at
    while ahead.at < ahead.end, ahead.at - start < 5, text[ahead.at].isUpper { ahead.at += 1 }
    let name = start..<ahead.at
    guard !ahead.peek(text).isLetter, !ahead.peek(text).isDigit else { return }
    if text.is("UTC", in: name) || text.is("GMT", in: name) {
      self = .offset(0)
      scan = ahead
    } else if hasBlank, LineClock.Zone.names.contains(where: { text.is($0, in: name) }) {
      self = .unknown
      scan = ahead
    }
  }

  /// `+0530`, `+05:30`, `+05`
  ///
  /// - Parameter isApart: Whether a blank stands before it.
  private static func offset(
    _ text: Span<UInt8>, _ scan: inout LineScan, isApart: Bool
  ) -> Int? {
    guard let digits = scan.digits(text, max: 5) else { return nil }
    var (hours, minutes) = (0, 0)
    switch digits.count {
    case 4:
      hours = LineClock.number(text, digits.lowerBound..<digits.lowerBound + 2)
      minutes = LineClock.number(text, digits.lowerBound + 2..<digits.upperBound)
    case 2:
      hours = LineClock.number(text, digits)
      var ahead = scan
      if ahead.take(":", text), let more = ahead.digits(text, max: 3), more.count == 2 {
        minutes = LineClock.number(text, more)
        scan = ahead
      } else if isApart {
        // `12:00:00 -10 degrees`
        return nil
      }
    default: return nil
    }
    guard hours < 24, minutes < 60, !scan.peek(text).isLetter else { return nil }
    return (hours * 60 + minutes) * 60
  }

  private static let names: [StaticString] = [
    "CET", "CEST", "EST", "EDT", "CST", "CDT", "MST", "MDT", "PST", "PDT", "BST", "IST", "JST", "MSK", "EET",
    "EEST", "WET", "WEST", "AEST", "AEDT", "HKT", "SGT", "KST", "BRT",
  ]
}
