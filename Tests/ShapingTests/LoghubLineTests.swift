import Codecs
import Foundation
import Shaping
import Testing

/// The samples of Loghub, where they lie beside the checkout, and lines of our own like them: each has the
/// time and the level that its format's definition says, read here by columns, apart from the recognisers.
@Suite struct LoghubLineTests {
  /// Where a system's lines have what.
  struct System: Sendable {
    let name: String
    let format: String
    /// Two lines of our own.
    let own: [String]
    /// The parts of a time, in the order year, month, day, hour, minute, second, nanosecond; nil: the line
    /// has none. A year of 0 is not written.
    let time: @Sendable (String) -> [Int]?
    /// The word for the level; nil: the format has none.
    let level: @Sendable (String) -> String?
  }

  static let words: [String: String] = [
    "INFO": "INFO", "Error": "ERROR", "Info": "INFO", "notice": "INFO", "WARN": "WARN", "WARNING": "WARN",
    "ERROR": "ERROR",
    "error": "ERROR", "FATAL": "FATAL", "SEVERE": "ERROR", "FAILURE": "ERROR", "D": "DEBUG", "V": "TRACE",
    "I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL",
  ]

  /// All runs of digits of a text.
  static func numbers(_ text: some StringProtocol) -> [Int] {
    text.split { !$0.isNumber }.compactMap { Int($0) }
  }
  static func fields(_ line: String) -> [String] { line.split(separator: " ").map(String.init) }
  static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
  static func month(_ word: String) -> Int { (months.firstIndex(of: word) ?? 98) + 1 }

  /// `2015-10-18 18:01:47,978` at the beginning, milliseconds.
  static func iso(_ line: String) -> [Int]? {
    let numbers = numbers(line.prefix(23))
    return numbers.count == 7 ? numbers.dropLast() + [numbers[6] * 1_000_000] : nil
  }
  /// `Jun 14 15:16:01`
  static func syslog(_ line: String) -> [Int]? {
    let fields = fields(line)
    return [0, month(fields[0]), Int(fields[1]) ?? 0] + numbers(fields[2]) + [0]
  }
  /// Seconds since 1970.
  static func epoch(_ seconds: String, _ nanosecond: Int = 0) -> [Int]? {
    [1970, 1, 1, 0, 0, Int(seconds) ?? -1, nanosecond]
  }
  static let none: @Sendable (String) -> String? = { _ in nil }

  static let systems: [System] = [
    System(
      name: "Android", format: "logcat",
      own: [
        "03-17 16:13:38.811  1702  2395 D Window: a: b", "03-17 16:13:38.900  1702  2395 W K: register",
      ],
      time: { line in
        let clock: [Int] = numbers(line.prefix(14))
        return [0] + clock + [(numbers(fields(line)[1])[3]) * 1_000_000]
      },
      level: { fields($0)[4] }),
    System(
      name: "Apache", format: "apache",
      own: ["[Sun Dec 04 04:47:44 2005] [notice] ok", "[Sun Dec 04 04:47:44 2005] [error] state 6"],
      time: {
        let fields = fields($0)
        let date: [Int] = [numbers(fields[4])[0], month(fields[1]), Int(fields[2]) ?? 0]
        return date + numbers(fields[3]) + [0]
      },
      level: { String(fields($0)[5].dropFirst().dropLast()) }),
    System(
      name: "BGL", format: "cluster",
      own: [
        "- 1117838570 2005.06.03 R02 2005-06-03-15.42.50.675872 R02 RAS KERNEL INFO corrected",
        "APPSEV 1117838571 2005.06.03 R02 2005-06-03-15.42.51.000001 R02 RAS APP SEVERE x",
        "- 1117838572 2005.06.03 R02 2005-06-03-15.42.52.000001 R02 NULL DISCOVERY WARNING x",
      ],
      time: { epoch(fields($0)[1], numbers(fields($0)[4])[6] * 1_000) }, level: { fields($0)[8] }),
    System(
      name: "HDFS", format: "timed",
      own: ["081109 203615 148 INFO dfs.Node: x", "081109 203616 35 WARN dfs.FSName: BLOCK* y"],
      time: { line in
        let digits = line.filter { $0 != " " }.prefix(12).map { $0.wholeNumberValue ?? 0 }
        var pairs: [Int] = (0..<6).map { digits[$0 * 2] * 10 + digits[$0 * 2 + 1] }
        pairs[0] += 2000
        return pairs + [0]
      },
      level: { fields($0)[3] }),
    System(
      name: "HPC", format: "states",
      own: [
        "134681 node-246 unix.hw state_change.unavailable 1077804742 1 Component \\042x\\042",
        "1 node-1 boot_cmd new 1084680778 1 Targeting",
      ],
      time: { epoch(fields($0)[4]) }, level: none),
    System(
      name: "Hadoop", format: "timed",
      own: [
        "2015-10-18 18:01:47,978 INFO [main] org.a.B: x", "2015-10-18 18:01:48,963 WARN [a b] org.a.C: y",
      ],
      time: iso, level: { fields($0)[2] }),
    System(
      name: "HealthApp", format: "bars",
      own: ["20171223-22:15:29:606|Step_LSC|30002312|on 3579", "20171223-22:15:9:16|Step_LSC|30002312|x"],
      time: { line in
        let numbers = numbers(line.prefix { $0 != "|" })
        let date: [Int] = [numbers[0] / 10_000, numbers[0] / 100 % 100, numbers[0] % 100]
        return date + Array(numbers[1...3]) + [numbers[4] * 1_000_000]
      },
      level: none),
    System(
      name: "Linux", format: "syslog",
      own: ["Jun 14 15:16:01 combo sshd(pam_unix)[1]: x", "Jun  4 04:06:18 combo su: y"], time: syslog,
      level: none),
    System(
      name: "Mac", format: "syslog",
      own: ["Jul  1 09:00:55 c-10 kernel[0]: IO<0>(0x0)::x", "Jul  1 09:01:05 c-10 com.apple.CDS[43]: T: 0"],
      time: syslog, level: none),
    System(
      name: "OpenSSH", format: "syslog",
      own: ["Dec 10 06:55:46 LabSZ sshd[24200]: x", "Dec 10 06:55:48 LabSZ sshd[24200]: y"], time: syslog,
      level: none),
    System(
      name: "OpenStack", format: "timed",
      own: [
        "nova-api.log.1.2017-05-16_13:53:08 2017-05-16 00:00:00.008 25746 INFO nova.a.b [req-1 -] x",
        "nova-compute.log.1.2017-05-16_13:55:31 2017-05-16 00:00:04.500 2931 WARNING nova.c [-] y",
      ],
      time: { iso(fields($0)[1...2].joined(separator: " ")) }, level: { fields($0)[4] }),
    System(
      name: "Proxifier", format: "proxifier",
      own: ["[10.30 16:49:06] chrome.exe - a:5070 open", "[10.30 16:49:07] a.exe *64 - b close"],
      time: { [0] + numbers($0.prefix(15)) + [0] }, level: none),
    System(
      name: "Spark", format: "timed",
      own: ["17/06/09 20:10:40 INFO executor.E: x", "17/06/09 20:10:41 ERROR spark.S: y"],
      time: { line in
        var numbers: [Int] = numbers(line.prefix(17))
        numbers[0] += 2000
        return numbers + [0]
      },
      level: { fields($0)[2] }),
    System(
      name: "Thunderbird", format: "cluster",
      own: [
        "- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond[1]: x",
        "- 1131566462 2005.11.09 dn228 Nov 9 12:01:02 local@dn228 sshd: y",
      ],
      time: { epoch(fields($0)[1]) }, level: none),
    System(
      name: "Windows", format: "timed",
      own: [
        "2016-09-28 04:30:30, Info                  CBS    Loaded", "2016-09-28 04:30:31, Error   CSI    x",
      ],
      time: { numbers($0.prefix(19)) + [0] }, level: { fields($0)[2] }),
    System(
      name: "Zookeeper", format: "timed",
      own: [
        "2015-07-29 17:41:44,747 - INFO  [Q[myid=1]/0:0:2181:F@774] - Notification",
        "2015-07-29 19:04:29,071 - ERROR [S:1:Q@688] - Send",
      ],
      time: iso, level: { fields($0)[3] }),
  ]

  private static let folder: String? = {
    let path =
      URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path + "/../shared/data/loghub"
    return FileManager.default.fileExists(atPath: path) ? path : nil
  }()

  @Test(arguments: systems.indices) func timesAndLevelsAreThoseOfTheFormat(_ index: Int) throws {
    let system = LoghubLineTests.systems[index]
    try check(system, system.own.joined(separator: "\n") + "\n", share: 1)
    guard let folder = LoghubLineTests.folder else { return }
    let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/\(system.name)_2k.log"))
    try check(system, String(decoding: data, as: UTF8.self), share: 0.995)
  }

  private func check(_ system: System, _ text: String, share: Double) throws {
    let times = LineTimes(now: Lines.noon)
    let format = LineFormat.detect(Array(text.utf8), times: times)
    // Two lines may be of several forms.
    if text.utf8.count > 4_096 { #expect(format.name == system.format, "\(system.name)") }
    let form = try #require(LineFormat(named: system.format, head: [], times: times))
    let batches = Lines.batches(Array(text.utf8), form)
    let records = batches.flatMap { $0.body.split(separator: 10) }
    var lines = text.split(whereSeparator: \.isNewline).map(String.init)
    lines.removeAll { $0.isEmpty }
    // Lines that go on with the one before count for it.
    let places = batches.flatMap(\.places).map(\.line)
    #expect(records.count >= lines.count * 995 / 1_000, "\(system.name): \(records.count) records")
    var right = 0
    let numbered = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
    for (record, place) in zip(records, places) {
      let line = numbered[place - 1]
      let object = try JSONSerialization.jsonObject(with: Data(record)) as? [String: Any] ?? [:]
      let level = system.level(line).map { LoghubLineTests.words[$0] ?? "?" }
      let isRight =
        object["timestamp"] as? String == system.time(line).map { LoghubLineTests.text($0) }
        && object["level"] as? String == level
      right += isRight ? 1 : 0
      if !isRight, right > 0, places.count - right < 5 {
        Issue.record(
          "\(system.name), line \(place): \(line) became \(String(decoding: record, as: UTF8.self))")
      }
    }
    #expect(Double(right) >= share * Double(lines.count), "\(system.name): \(right) of \(lines.count)")
  }

  /// RFC 3339 of the parts, of the latest year before noon where none is written.
  private static func text(_ parts: [Int]) -> String {
    func nanoseconds(_ year: Int) -> Int64 {
      let days = CivilDate(year: year, month: parts[1], day: parts[2]).days
      return Int64(days * 86_400 + parts[3] * 3_600 + parts[4] * 60 + parts[5]) * 1_000_000_000
        + Int64(parts[6])
    }
    let time =
      parts[0] > 0
      ? nanoseconds(parts[0])
      : (2024...2026).map(nanoseconds).last { $0 <= Lines.noon + 86_400_000_000_000 } ?? 0
    var writer = JSONWriter(capacity: 64)
    writer.appendTimestamp(time)
    return String(String(decoding: writer.takeBytes(), as: UTF8.self).dropFirst().dropLast())
  }
}
