import Foundation
import Gateway

extension TimeZones {
  /// The zones of the system's database.
  static let ofFoundation = TimeZones { name in
    guard name.utf8.count <= 64, let zone = TimeZone(identifier: name) else { return nil }
    return { time in zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(time) / 1e9)) }
  }
}
