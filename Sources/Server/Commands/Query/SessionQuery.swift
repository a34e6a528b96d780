import Codecs

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
      ("--dataset", flags.dataset != "logs"),
    ]
    if let other = others.first(where: \.1) { throw Failure("\(other.0) is for datasets, not for sessions") }
    var items = [("format", format), ("order", flags.order ?? "desc")]
    if let since = flags.since { items.append(("start_ts", try QueryBody.time(since, "--since", now: now))) }
    if let until = flags.until {
      // The API includes its bound; --until does not.
      let time = RFC3339.parse(try QueryBody.time(until, "--until", now: now)) ?? now
      items.append(("end_ts", RFC3339.string(time - 1_000)))
    }
    items += flags.levels.map { ("level", $0) }
    items += flags.contains.map { ("contains", $0) }
    if let limit = flags.limit { items.append(("limit", String(limit))) }
    return session.path + "?" + items.map { "\($0.0)=\(escaped($0.1))" }.joined(separator: "&")
  }

  /// Percent-encoded but for the characters that never need it (RFC 3986 §2.3).
  static func escaped(_ text: String) -> String {
    var result: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
        UInt8(ascii: "~"):
        result.append(byte)
      default:
        result += Array(("%" + Hex.text([byte]).uppercased()).utf8)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
