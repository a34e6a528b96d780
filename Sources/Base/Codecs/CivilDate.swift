/// A date of the proleptic Gregorian calendar: the one place where days become dates and dates days.
///
/// Years are counted from March, so that the leap day is a year's last and a month's first day is a linear
/// function of its number: (153 m + 2) / 5. 400 years, an era, have 146,097 days (Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms"). A dozen integer operations each way; years within a
/// million of 1970.
public struct CivilDate: Sendable, Hashable {
  /// Year 0 is the one before year 1.
  public var year: Int
  /// From 1.
  public var month: Int
  /// From 1.
  public var day: Int

  /// - Parameter month: From 1 to 12.
  @inlinable
  public init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// A month's first day. Months before January and beyond December carry into other years.
  package static func first(ofMonth month: Int, in year: Int) -> CivilDate {
    let months = year * 12 + month - 1
    let carried = months >= 0 ? months / 12 : (months - 11) / 12
    return CivilDate(year: carried, month: months - carried * 12 + 1, day: 1)
  }

  /// The date of a day counted from 1970-01-01.
  @inlinable
  public init(days: Int) {
    let shifted = days &+ 719_468
    let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
    let dayOfEra = shifted &- era &* 146_097
    let yearOfEra = (dayOfEra &- dayOfEra / 1_460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
    let march = (5 &* dayOfYear &+ 2) / 153
    day = dayOfYear &- (153 &* march &+ 2) / 5 &+ 1
    month = march < 10 ? march &+ 3 : march &- 9
    year = yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0)
  }

  /// Days since 1970-01-01. A day beyond its month's end is one of the next month.
  @inlinable
  public var days: Int {
    let shifted = month <= 2 ? year &- 1 : year
    let march = month <= 2 ? month &+ 9 : month &- 3
    let era = (shifted >= 0 ? shifted : shifted &- 399) / 400
    let yearOfEra = shifted &- era &* 400
    let dayOfYear = (153 &* march &+ 2) / 5 &+ day &- 1
    return era &* 146_097 &+ yearOfEra &* 365 &+ yearOfEra / 4 &- yearOfEra / 100 &+ dayOfYear &- 719_468
  }
}
