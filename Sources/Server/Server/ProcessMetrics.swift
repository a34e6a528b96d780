import APIs
import Foundation
import HTTP
import Platform
import Routing

/// Figures of this process, read from /proc at each scrape.
enum ProcessMetrics {
  static func collect(into text: inout MetricsText) {
    // A figure the kernel does not give is left out.
    let stat = (try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8)) ?? ""
    let fields = stat.split(separator: ")").last.map { $0.split(separator: " ") } ?? []
    // Clock ticks are 1/100 s on every Linux that Swift runs on.
    if fields.count > 17, let user = Double(fields[11]), let system = Double(fields[12]) {
      text.single(
        "process_cpu_seconds_total", .counter, "CPU time of the process, user and system.",
        (user + system) / 100)
    }
    if fields.count > 17, let threads = Double(fields[17]) {
      text.single("process_threads", .gauge, "Threads of the process.", threads)
    }
    for (key, name, help) in [
      ("VmRSS", "process_resident_memory_bytes", "Resident memory, mapped files included."),
      ("VmSize", "process_virtual_memory_bytes", "Virtual memory."),
      ("RssAnon", "process_anonymous_memory_bytes", "Resident memory that belongs to no file."),
    ] {
      if let kilobytes = status(key) { text.single(name, .gauge, help, kilobytes * 1024) }
    }
    if fields.count > 19, let ticks = Double(fields[19]), let boot = bootSeconds() {
      text.single(
        "process_start_time_seconds", .gauge, "When the process started, seconds since 1970.",
        boot + ticks / 100)
    }
    text.single(
      "process_max_fds", .gauge, "Files and sockets that may be open.", Double(ProcessLimits.openFilesMax))
    // None when /proc is not mounted; then there is nothing to tell.
    if let open = try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
      text.single("process_open_fds", .gauge, "Open files and sockets.", Double(open.count))
    }
  }

  /// Datagrams to these ports that the kernel dropped, since they came faster than they were read.
  static func collectDatagrams(of ports: [Int], into text: inout MetricsText) {
    text.family(
      "cordwood_datagrams_dropped_total", .counter,
      "Datagrams that the kernel dropped, by port: its buffer was full.")
    for port in Set(ports).sorted() {
      var count = 0.0
      for path in ["/proc/net/udp", "/proc/net/udp6"] {
        // As above: left out when unreadable.
        let table = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        for line in table.split(separator: "\n").dropFirst() {
          let fields = line.split(separator: " ")
          guard fields.count >= 13, let last = fields[1].split(separator: ":").last,
            Int(last, radix: 16) == port, let drops = Double(fields[fields.count - 1])
          else { continue }
          count += drops
        }
      }
      text.sample("cordwood_datagrams_dropped_total", [("port", String(port))], count)
    }
  }

  private static func bootSeconds() -> Double? {
    // As above: left out when unreadable.
    let text = (try? String(contentsOfFile: "/proc/stat", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("btime ") }
    return line.flatMap { Double($0.dropFirst(6)) }
  }

  private static func status(_ key: String) -> Double? {
    // As above: left out when unreadable.
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(key + ":") }
    return line.flatMap { Double($0.filter(\.isNumber)) }
  }
}
