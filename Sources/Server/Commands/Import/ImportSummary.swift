import Foundation
import Records
import Shaping

/// What an import of a file says at its end.
enum ImportSummary {
  /// `app.log (timed): 1,234 records in 0.5 s`
  static func text(_ name: String, _ outcome: FileImport.Outcome, _ duration: Duration) -> String {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    var text = name
    if !outcome.format.isEmpty { text += " (\(outcome.format))" }
    text += ": \(Progress.grouped(outcome.sent)) records in \(String(format: "%.1f", seconds)) s"
    if outcome.earlierBytes > 0 {
      text += " (\(Progress.grouped(outcome.earlierBytes)) bytes were there already)"
    }
    if outcome.earlyCount > 0 { text += ", \(Progress.grouped(outcome.earlyCount)) older ones left out" }
    return text
  }

  /// Also for those who want no summary: the records are not the lines any more, or not what they seem.
  static func warnings(_ name: String, _ outcome: FileImport.Outcome) -> [String] {
    var warnings: [String] = []
    if let offset = outcome.cuts.firstOffset {
      let bound = "\(Progress.grouped(LineBatcher.lineBytesMax)) bytes"
      warnings.append(
        outcome.cuts.count == 1
          ? "\(name): 1 line is longer than \(bound) and became several records; it starts at byte \(offset)"
          : "\(name): \(Progress.grouped(outcome.cuts.count)) lines are longer than \(bound) and became "
            + "several records each; the first starts at byte \(offset)")
    }
    if outcome.unparsedCount > 0 {
      warnings.append(
        "\(name): \(Progress.grouped(outcome.unparsedCount)) records are lines of another form than "
          + "\(outcome.format): their text is kept (--detect shows some)")
    }
    if outcome.timesUnreadCount > 0 {
      warnings.append(
        "\(name): \(Progress.grouped(outcome.timesUnreadCount)) records have a time that cannot be read "
          + "and keep its text in metadata.time (--zone tells what zone names mean)")
    }
    if outcome.refusedCount > 0 {
      warnings.append("\(name): lines that could not be records: \(Progress.grouped(outcome.refusedCount))")
    }
    if outcome.waitingBytes > 0 {
      warnings.append(
        "\(name): the last line has no end yet: \(Progress.grouped(outcome.waitingBytes)) bytes of it wait, "
          + "since the file was written within a minute; import it again then")
    }
    if let fault = outcome.fault { warnings.append("\(name): \(fault); what lies behind is left out") }
    if outcome.isCutOff { warnings.append("\(name): the list ends without its `]`: the file is cut off") }
    if let earlier = outcome.earlierFormat {
      warnings.append(
        "\(name): what is stored of it was imported as \(earlier), and stays so; --again imports it anew, "
          + "beside it"
      )
    }
    return warnings
  }
}

/// `--since`: so long ago (`90m`, `2h`, `7d`), or a time.
enum SinceText {
  static func time(_ text: String, now: Int64) throws -> Int64 {
    let seconds: [UInt8: Int64] = [
      UInt8(ascii: "s"): 1, UInt8(ascii: "m"): 60, UInt8(ascii: "h"): 3_600, UInt8(ascii: "d"): 86_400,
    ]
    let digits = text.utf8.dropLast()
    if let unit = text.utf8.last.flatMap({ seconds[$0] }), (1...6).contains(digits.count),
      let count = Int64(String(decoding: digits, as: UTF8.self)), count >= 0
    {
      return now - count * unit * 1_000_000_000
    }
    guard let time = LogTime(now: now).nanoseconds(text) else {
      throw Failure("--since: 90m, 2h, 7d, or a time like 2025-11-30T12:00:00Z")
    }
    return time
  }
}
