import Foundation
import Platform
import Shaping

/// What `cordwood import --detect FILE` shows: the format, a sample of what becomes of the lines, and those
/// that are not of it. Nothing is sent.
struct FormatReport {
  private static let headBytes = 1 << 20
  private static let sampleCount = 3
  private static let unparsedShown = 5

  let path: String
  let job: FileImport

  func lines() throws -> [String] {
    let source = try ImportSource(path, readsLists: job.options.readsLists)
    guard let content = source.content else { throw Failure("\(path) is a pipe, which can be read once") }
    try content.seek(to: 0)
    let head = try content.read(FormatReport.headBytes)
    let changed = source.opened.changedAt
    let times = LineTimes(zone: job.options.zone, now: changed)
    let format = try ImportFormat(
      job.options, head: Array(head.prefix(256 * 1024)), times: times, listing: content.listing)
    let listing = content.listing.map { ", \($0.name)" } ?? ""
    guard case .shaped(let shape) = format else { return ["\(source.name): \(format.name)\(listing)"] }
    var options = LineRecords.Options(times: times)
    options.bytesMax = .max
    options.mapping = job.options.mapping
    var records = LineRecords(shape, options)
    records.feed(head)
    guard let batch = records.next(atEnd: true) else { return ["\(source.name): empty"] }
    var shown = [
      "\(source.name): \(shape.name)\(listing)", counts(batch, isAll: head.count < FormatReport.headBytes),
    ]
    shown += batch.body.split(separator: 0x0A).prefix(FormatReport.sampleCount)
      .map { "  " + String(decoding: $0.prefix(2_000), as: UTF8.self) }
    return shown + unparsed(batch, head)
  }

  private func counts(_ batch: LineBatch, isAll: Bool) -> String {
    var text = "\(isAll ? "" : "of the first MiB, ")\(Progress.grouped(batch.lineCount)) lines become "
    text += "\(Progress.grouped(batch.places.count)) records"
    if batch.unparsedCount > 0 {
      text += ", \(Progress.grouped(batch.unparsedCount)) of them of no known form: their text is kept"
    }
    if batch.timesUnreadCount > 0 {
      text += ", \(Progress.grouped(batch.timesUnreadCount)) with a time that cannot be read"
    }
    if !batch.refusals.isEmpty { text += "; \(Progress.grouped(batch.refusals.count)) cannot be records" }
    return text
  }

  private func unparsed(_ batch: LineBatch, _ head: [UInt8]) -> [String] {
    var shown = batch.refusals.prefix(FormatReport.unparsedShown)
      .map { "  line \($0.place.line): \($0.reason)" }
    for place in batch.unparsed.prefix(FormatReport.unparsedShown) {
      let text = head[place.range].prefix(200).prefix { $0 != 0x0A }
      shown.append("  line \(place.line): \(String(decoding: text, as: UTF8.self))")
    }
    return shown
  }
}
