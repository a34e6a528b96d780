import APIs
import Foundation
import HTTP
import Querying
import Routing
import Synchronization

extension TimeZones {
  /// The zones of the system's database. The last few that were asked for are kept.
  package static let ofFoundation: TimeZones = {
    let cache = ZoneCache()
    return TimeZones { cache.offsets(of: $0) }
  }()
}

/// Tables of zones by name, at most ``countMax``; when there are more, all are made anew.
private final class ZoneCache: Sendable {
  /// A table has at most some 12 KB, and is made within a millisecond or two.
  static let countMax = 64
  static let nameBytesMax = 64

  private let kept = Mutex<[String: UTCOffsets]>([:])

  func offsets(of name: String) -> UTCOffsets? {
    if let known = kept.withLock({ $0[name] }) { return known }
    // Foundation reads names up to a NUL.
    guard name.utf8.count <= ZoneCache.nameBytesMax, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }),
      let zone = TimeZone(identifier: name), let offsets = zone.offsets
    else { return nil }
    kept.withLock { kept in
      if kept.count >= ZoneCache.countMax { kept.removeAll() }
      kept[name] = offsets
    }
    return offsets
  }
}

extension TimeZone {
  /// How the zone's clocks are set in the years that nanoseconds since 1970 reach in int64.
  fileprivate var offsets: UTCOffsets? {
    let secondsMax = 9_223_372_037.0
    var time = Date(timeIntervalSince1970: -secondsMax)
    let end = Date(timeIntervalSince1970: secondsMax)
    let first = secondsFromGMT(for: time)
    var changes: [UTCOffsets.Change] = []
    var offset = first
    while let next = nextDaylightSavingTimeTransition(after: time), next > time, next < end {
      let then = secondsFromGMT(for: next)
      if then != offset {
        changes.append(UTCOffsets.Change(second: Int(next.timeIntervalSince1970), offset: then))
      }
      guard changes.count <= UTCOffsets.changesMax else { return nil }
      (time, offset) = (next, then)
    }
    return UTCOffsets(first: first, changes: changes)
  }
}
