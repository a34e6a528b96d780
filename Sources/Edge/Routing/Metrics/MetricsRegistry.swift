import Records
import Synchronization

/// What a metric's value means.
package enum MetricKind: String, Sendable {
  case counter, gauge, histogram
}

/// Builds the Prometheus text format, version 0.0.4.
package struct MetricsText: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// Starts a family; its samples follow.
  package mutating func family(_ name: String, _ kind: MetricKind, _ help: String) {
    append("# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n")
  }

  /// One sample. Label values are escaped; keep them few: each combination is a series for ever.
  package mutating func sample(_ name: String, _ labels: [(String, String)] = [], _ value: Double) {
    append(name)
    if !labels.isEmpty {
      let text = labels.map { "\($0.0)=\"\(MetricsText.escaped($0.1))\"" }.joined(separator: ",")
      append("{\(text)}")
    }
    append(" ")
    append(MetricsText.number(value))
    append("\n")
  }

  /// A family with one sample.
  package mutating func single(_ name: String, _ kind: MetricKind, _ help: String, _ value: Double) {
    family(name, kind, help)
    sample(name, [], value)
  }

  private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private static func number(_ value: Double) -> String {
    if let whole = Int(exactly: value) { return String(whole) }
    if value == .infinity { return "+Inf" }
    return String(value)
  }

  private static func escaped(_ text: String) -> String {
    // By scalars, as what reads it does.
    text.escaped { $0 == "\\" || $0 == "\"" }.unicodeScalars.reduce(into: "") { result, scalar in
      if scalar == "\n" { result += "\\n" } else { result.unicodeScalars.append(scalar) }
    }
  }
}

/// Everything `/metrics` shows: collectors that write their families when asked.
package final class MetricsRegistry: Sendable {
  package typealias Collector = @Sendable (inout MetricsText) async -> Void
  private let collectors = Mutex<[Collector]>([])

  package init() {}

  /// Adds a collector; it is called at each scrape, in the order of registration, and must not block.
  package func register(_ collector: @escaping Collector) {
    collectors.withLock { $0.append(collector) }
  }

  package func render() async -> [UInt8] {
    var text = MetricsText()
    for collector in collectors.withLock({ $0 }) { await collector(&text) }
    return text.bytes
  }
}

/// Counts of values by upper bound.
package struct Histogram: Sendable {
  /// Upper bounds in seconds: from a group commit on a fast disk to a scan of everything.
  package static let secondsBounds = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
  ]
  private let bounds: [Double]
  private var counts: [Int]
  private var sum = 0.0

  package init(bounds: [Double] = Histogram.secondsBounds) {
    self.bounds = bounds
    self.counts = [Int](repeating: 0, count: bounds.count + 1)
  }

  package mutating func record(_ value: Double) {
    counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
    sum += value
  }

  package func write(_ name: String, _ labels: [(String, String)], to text: inout MetricsText) {
    var total = 0
    for (index, count) in counts.enumerated() {
      total += count
      let bound = index < bounds.count ? String(bounds[index]) : "+Inf"
      text.sample(name + "_bucket", labels + [("le", bound)], Double(total))
    }
    text.sample(name + "_sum", labels, sum)
    text.sample(name + "_count", labels, Double(total))
  }
}
