import Foundation
import Querying
import Server
import TestKit
import Testing

@testable import APIs
@testable import HTTP
@testable import Routing

/// The zones that queries of analytics can name.
@Suite struct TimeZoneTests {
  /// More zones than are kept at once, each against Foundation asked time by time.
  @Test func everyZoneIsATable() throws {
    var generator = SeededGenerator(seed: 1)
    for name in TimeZone.knownTimeZoneIdentifiers {
      let zone = try #require(TimeZone(identifier: name))
      let offsets = try #require(TimeZones.ofFoundation.offsets(name), "\(name)")
      for _ in 0..<20 {
        let second = Int.random(in: -9_223_372_036...9_223_372_036, using: &generator)
        let expected = second + zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second)))
        #expect(offsets.local(second) == expected, "\(name) \(second)")
      }
      #expect(TimeZones.ofFoundation.offsets(name) == offsets)
    }
  }

  @Test(
    arguments: [
      "", "Europe/Atlantis", "europe berlin", "../../etc/localtime", "/etc/localtime", "Europe/Berlin\0",
      String(repeating: "A", count: 65), String(repeating: "Europe/", count: 10_000),
    ])
  func whatIsNoZoneHasNoTable(name: String) {
    #expect(TimeZones.ofFoundation.offsets(name) == nil)
  }
}
