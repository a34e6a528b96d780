import Codecs
import Records

/// Makes the request of `cordwood query --session` from flags.
enum SessionQuery {
  /// Path and query of a read of the sessions API.
  static func path(_ session: SessionName, _ flags: QueryFlags, format: String, now: Int64) throws -> String {
    let others: [(String, Bool)] = [
      ("--service", !flags.services.isEmpty), ("--word", !flags.word.isEmpty),
      ("--regex", !flags.regex.isEmpty),
      ("--where", !flags.expressions.isEmpty), ("--columns", !flags.columns.isEmpty),
      ("--count", flags.counts),
      ("--count-by", !flags.countBy.isEmpty), ("--bucket", flags.bucket != nil),
      ("--dataset", flags.dataset != "logs"), ("--exact", flags.isExact),
    ]
    if let other = others.first(where: \.1) { throw Failure("\(other.0) is for datasets, not for sessions") }
    var items = [("format", format), ("order", flags.order ?? "desc")]
    if let since = flags.since { items.append(("start_ts", try QueryBody.time(since, "--since", now: now))) }
    if let until = flags.until {
      // The API includes its bound; --until does not.
      let time = RFC3339.parse(try QueryBody.time(until, "--until", now: now)) ?? now
      items.append(("end_ts", RFC3339.string(time.subtractingClamped(1))))
    }
    items += flags.levels.map { ("level", $0) }
    items += flags.contains.map { ("contains", $0) }
    if let limit = flags.limit { items.append(("limit", String(limit))) }
    return session.path + "?" + items.map { "\($0.0)=\($0.1.percentEncoded)" }.joined(separator: "&")
  }
}
