import Records
import Synchronization

/// Figures of the HTTP edge. Labels are routes, methods and statuses of fixed sets, so series are bounded.
package final class HTTPMetrics: Sendable {
  private struct RequestKey: Hashable {
    var route: String
    var method: String
    var status: Int
  }

  private struct State {
    var requests: [RequestKey: Int] = [:]
    var seconds: [String: Histogram] = [:]
    /// By route and method, in the buckets of the ingest system.
    var durations: [RequestKey: Histogram] = [:]
    var recordsAccepted: [Dataset: Int] = [:]
    var pushes: [Name: PushFigures] = [:]
    var bodyBytes = 0
    var connectionsAccepted = 0
    var connectionsRefused = 0
    var connectionsOpen = 0
    var messagesLost = 0
    var datagramPorts: [Int] = []
  }

  private struct PushFigures {
    var refused = 0
    var timesUnread = 0
  }

  private static let durationBounds: [Double] = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

  private let state = Mutex(State())
  package let uploads: UploadBudget
  /// Bodies that come without a credential.
  package let strangers: UploadBudget
  /// What answers take until their clients have them.
  package let answers: MemoryBudget

  private let datasets: [Dataset]

  /// - Parameters:
  ///   - strangers: nil: their bodies are of `uploads`.
  ///   - answers: Without bound unless it is given.
  ///   - datasets: Those that records are counted of.
  package init(
    uploads: UploadBudget, strangers: UploadBudget? = nil,
    answers: MemoryBudget = MemoryBudget("answers", bytesMax: .max),
    datasets: [Dataset]
  ) {
    self.uploads = uploads
    self.strangers = strangers ?? uploads
    self.answers = answers
    self.datasets = datasets
  }

  package func requestFinished(route: String, method: RequestMethod, status: Int, seconds: Double) {
    let key = RequestKey(route: route, method: HTTPMetrics.label(of: method), status: status)
    state.withLock { state in
      state.requests[key, default: 0] += 1
      state.seconds[route, default: Histogram()].record(seconds)
      let place = RequestKey(route: route, method: key.method, status: 0)
      state.durations[place, default: Histogram(bounds: HTTPMetrics.durationBounds)].record(seconds)
    }
  }

  /// Counts what a write route stored.
  package func recordsAccepted(_ count: Int, dataset: Dataset, bodyBytes: Int) {
    state.withLock { state in
      state.recordsAccepted[dataset, default: 0] += count
      state.bodyBytes += bodyBytes
    }
  }

  /// Counts what a push in another program's form had beside what was stored.
  ///
  /// - Parameters:
  ///   - way: The API; one of a fixed few.
  ///   - refused: Records left out.
  ///   - timesUnread: Records stored with the time they came at, since their own cannot be read.
  package func pushed(by way: String, refused: Int, timesUnread: Int) {
    state.withLock { state in
      state.pushes[Name(way), default: PushFigures()].refused += refused
      state.pushes[Name(way), default: PushFigures()].timesUnread += timesUnread
    }
  }

  /// Counts messages that came without a request, were taken from the network and are not stored.
  package func messagesLost(_ count: Int) { state.withLock { $0.messagesLost += count } }

  /// From now on the kernel is asked what it dropped of datagrams to this port.
  package func countDatagrams(of port: Int) { state.withLock { $0.datagramPorts.append(port) } }

  /// Ports that datagrams are taken on.
  package var datagramPorts: [Int] { state.withLock { $0.datagramPorts } }

  package func connectionOpened(accepted: Bool) {
    state.withLock { state in
      state.connectionsOpen += accepted ? 1 : 0
      state.connectionsAccepted += accepted ? 1 : 0
      state.connectionsRefused += accepted ? 0 : 1
    }
  }

  package func connectionClosed() { state.withLock { $0.connectionsOpen -= 1 } }

  /// Writes the families.
  package func collect(into text: inout MetricsText) {
    let state = self.state.withLock { $0 }
    text.family("cordwood_http_requests_total", .counter, "Requests answered, by route, method and status.")
    let ordered = state.requests.sorted {
      ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
    }
    for (key, count) in ordered {
      text.sample(
        "cordwood_http_requests_total",
        [("route", key.route), ("method", key.method), ("status", String(key.status))], Double(count))
    }
    text.family(
      "cordwood_http_request_seconds", .histogram, "Time from a request's head to the end of its answer.")
    for (route, histogram) in state.seconds.sorted(by: { $0.key < $1.key }) {
      histogram.write("cordwood_http_request_seconds", [("route", route)], to: &text)
    }
    text.family("cordwood_records_accepted_total", .counter, "Records stored, by dataset.")
    for dataset in datasets {
      text.sample(
        "cordwood_records_accepted_total", [("dataset", dataset.name)],
        Double(state.recordsAccepted[dataset] ?? 0))
    }
    let pushes = state.pushes.sorted { $0.key < $1.key }
    text.family(
      "cordwood_records_refused_total", .counter, "Records left out of pushes of other programs, by API.")
    for (way, figures) in pushes {
      text.sample("cordwood_records_refused_total", [("api", way.text)], Double(figures.refused))
    }
    text.family(
      "cordwood_records_time_unread_total", .counter,
      "Records stored with the time they came at, since their own cannot be read, by API.")
    for (way, figures) in pushes {
      text.sample("cordwood_records_time_unread_total", [("api", way.text)], Double(figures.timesUnread))
    }
    text.single(
      "cordwood_body_bytes_total", .counter, "Bytes of accepted write bodies, decompressed.",
      Double(state.bodyBytes))
    text.single(
      "cordwood_upload_bytes", .gauge, "Bytes of request bodies in memory.", Double(uploads.usedBytes))
    text.single("cordwood_connections", .gauge, "Open connections.", Double(state.connectionsOpen))
    text.single(
      "cordwood_connections_total", .counter, "Connections accepted.", Double(state.connectionsAccepted))
    text.single(
      "cordwood_connections_refused_total", .counter,
      "Connections over server.connections_max, or over the share of their address.",
      Double(state.connectionsRefused))
    text.single(
      "cordwood_messages_lost_total", .counter,
      "Messages of listeners without answers (syslog) that came and are not stored.",
      Double(state.messagesLost))
  }

  /// Writes the same under the names of the ingest system.
  package func collectPlain(into text: inout MetricsText) {
    let state = self.state.withLock { $0 }
    text.family(
      "http_requests_total", .counter, "Requests answered; `status` and `status_code` are the same.")
    let ordered = state.requests.sorted {
      ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
    }
    for (key, count) in ordered {
      let status = String(key.status)
      text.sample(
        "http_requests_total",
        [("method", key.method), ("endpoint", key.route), ("status", status), ("status_code", status)],
        Double(count))
    }
    text.family("http_request_duration_seconds", .histogram, "Time of a request, by method and endpoint.")
    let durations = state.durations.sorted { ($0.key.route, $0.key.method) < ($1.key.route, $1.key.method) }
    for (key, histogram) in durations {
      histogram.write(
        "http_request_duration_seconds", [("method", key.method), ("endpoint", key.route)], to: &text)
    }
    text.single("current_connections", .gauge, "Open connections.", Double(state.connectionsOpen))
  }

  private static func label(of method: RequestMethod) -> String {
    switch method {
    case .get: "GET"
    case .post: "POST"
    case .head: "HEAD"
    case .put: "PUT"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    case .patch: "PATCH"
    default: "other"
    }
  }
}
