import APIs
import HTTP
import Routing
import Tailing

/// Figures of live streams.
enum LiveMetrics {
  static func collect(_ figures: LiveStatistics, into text: inout MetricsText) {
    let gauges: [(String, String, Int)] = [
      ("subscribers", "Live streams that are open.", figures.subscribers),
      ("groups", "Different streams among them: what is encoded once for all who follow it.", figures.groups),
      ("waiting_bytes", "Bytes that wait for subscribers.", figures.bytesWaiting),
    ]
    for (name, help, value) in gauges { text.single("cordwood_live_\(name)", .gauge, help, Double(value)) }
    let counters: [(String, String, Int)] = [
      ("records_offered_total", "Records looked at for subscribers.", figures.recordsOffered),
      ("messages_queued_total", "Messages queued for subscribers.", figures.messagesQueued),
      (
        "messages_dropped_total", "Messages left out of streams whose clients read too slowly.",
        figures.messagesDropped
      ),
    ]
    for (name, help, value) in counters {
      text.single("cordwood_live_\(name)", .counter, help, Double(value))
    }
  }
}
