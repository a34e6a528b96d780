import Foundation
import Shaping

/// `--zone`: an offset (`+01:00`), `UTC`, or a name of the zone database (`Europe/Berlin`).
enum ZoneName {
  /// - Returns: nil: there is no such zone.
  static func zone(_ name: String) -> LineTimes.Zone? {
    if let seconds = offset(Array(name.utf8)) { return LineTimes.Zone(offsetSeconds: seconds) }
    guard let zone = TimeZone(identifier: name) else { return nil }
    let start = Date(timeIntervalSince1970: 0)
    // The clocks are set twice a year at most; of later times the last rule is kept.
    let end = Date(timeIntervalSince1970: 2_208_988_800)
    var steps: [LineTimes.Zone.Step] = []
    var at = start
    while let next = zone.nextDaylightSavingTimeTransition(after: at), next > at, next < end {
      let offset = zone.secondsFromGMT(for: next)
      let local = Int(next.timeIntervalSince1970) + offset
      steps.append(LineTimes.Zone.Step(fromLocalSeconds: local, offsetSeconds: offset))
      at = next
    }
    return LineTimes.Zone(offsetSeconds: zone.secondsFromGMT(for: start), steps: steps)
  }

  /// `+0100`, `-05:30`
  private static func offset(_ name: [UInt8]) -> Int? {
    guard let sign = name.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") else { return nil }
    let digits = name.dropFirst().filter { $0 != UInt8(ascii: ":") }
    guard digits.count == 4 || digits.count == 2, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
    let number = digits.reduce(0) { $0 * 10 + Int($1 & 15) }
    let (hours, minutes) = digits.count == 4 ? (number / 100, number % 100) : (number, 0)
    guard hours < 24, minutes < 60 else { return nil }
    let seconds = (hours * 60 + minutes) * 60
    return sign == UInt8(ascii: "+") ? seconds : -seconds
  }
}
