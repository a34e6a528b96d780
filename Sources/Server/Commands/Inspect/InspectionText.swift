import Blocks
import Codecs
import Journaling
import Records
import Storage

/// Prints what lies in a data directory.
enum InspectionText {
  /// Bytes and ratio of a column over several blocks.
  struct ColumnSum: Hashable {
    var name: String
    var compressed = 0
    var uncompressed = 0
  }

  /// The head of the report: manifest and journal.
  static func overview(_ found: StorageInspection) -> String {
    let segmentBytes = found.segments.reduce(0) { $0 + $1.byteCount }
    let used = found.segments.reduce(0) { $0 + $1.usedBytes }
    let frames = found.segments.reduce(0) { $0 + $1.frameCount }
    var text = "manifest  \(bytes(found.manifestBytes)), \(plural(found.editCount, "edit")) "
    text += "(generation \(found.generation), epoch \(found.epoch))\n"
    if let anchor = found.anchor {
      text += "anchor    synced up to segment \(anchor.synced.segment), byte \(anchor.synced.byte); up to "
      text += "\(plural(Int(clamping: anchor.allowance), "record")) may follow\n"
    }
    text += "journal   \(plural(found.segments.count, "segment")), \(bytes(segmentBytes)), "
    text += "\(bytes(used)) used by "
    text += "\(plural(frames, "frame"))\n"
    for segment in found.segments {
      text += "  \(segment.path)  \(bytes(segment.usedBytes)) of \(bytes(segment.byteCount))"
      text += "  \(plural(segment.frameCount, "frame"))  \(plural(segment.rowCount, "record"))\n"
    }
    return text
  }

  /// One partition: head, blocks and, over all blocks, what each column and index takes.
  static func partition(
    _ part: StorageInspection.PartitionPart, inspections: [BlockInspection]
  ) -> String {
    let rows = part.blocks.reduce(0) { $0 + $1.facts.rowCount }
    let size = part.blocks.reduce(0) { $0 + $1.facts.byteCount }
    var text = "\n\(part.partition.description)\n"
    text += "  journal  \(plural(part.headRows, "record")), \(bytes(part.headBytes)) in "
    text += "\(plural(part.headFrames, "frame"))\n"
    text += "  blocks   \(plural(rows, "record")), \(bytes(size)) in \(plural(part.blocks.count, "block"))"
    let older = inspections.count { $0.isOfOlderFormat }
    if older > 0 { text += " (\(grouped(older)) of an older format)" }
    if part.deletionCount > 0 { text += ", \(plural(part.deletionCount, "deletion")) pending" }
    text += "\n"
    for block in part.blocks { text += "    " + line(block) + "\n" }
    if rows > 0 { text += columns(inspections, rowCount: rows, byteCount: size) }
    return text
  }

  private static func line(_ block: StorageInspection.BlockPart) -> String {
    let facts = block.facts
    let times = "\(RFC3339.string(facts.bounds.timestampMin)) to \(RFC3339.string(facts.bounds.timestampMax))"
    let positions = "positions \(facts.bounds.positionMin)-\(facts.positionEnd - 1)"
    let size = "\(plural(facts.rowCount, "record"))  \(bytes(facts.byteCount))"
    return "\(block.path)  \(size)  \(positions)  \(times)"
  }

  private static func columns(_ inspections: [BlockInspection], rowCount: Int, byteCount: Int) -> String {
    var sums: [ColumnSum] = []
    func add(_ name: String, _ compressed: Int, _ uncompressed: Int) {
      let index = sums.firstIndex { $0.name == name } ?? sums.endIndex
      if index == sums.endIndex { sums.append(ColumnSum(name: name)) }
      sums[index].compressed += compressed
      sums[index].uncompressed += uncompressed
    }
    for inspection in inspections {
      for column in inspection.columns { add(column.name, column.compressed, column.uncompressed) }
      for part in inspection.index { add("index: \(part.name)", part.byteCount, part.byteCount) }
      add("filters and footer", inspection.footerByteCount, inspection.footerByteCount)
    }
    var rows = [["column", "bytes", "bytes/record", "share", "unpacked"]]
    for sum in sums {
      rows.append([
        sum.name, grouped(sum.compressed), fixed(Double(sum.compressed) / Double(rowCount), 2),
        fixed(Double(sum.compressed) / Double(max(byteCount, 1)) * 100, 1) + " %", grouped(sum.uncompressed),
      ])
    }
    rows.append([
      "all", grouped(byteCount), fixed(Double(byteCount) / Double(rowCount), 2), "100.0 %",
      grouped(sums.reduce(0) { $0 + $1.uncompressed }),
    ])
    let widths = rows[0].indices.map { index in rows.map { $0[index].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { row[$0].padded(to: widths[$0], left: $0 > 0) }
      return "    " + cells.joined(separator: "  ") + "\n"
    }.joined()
  }

  /// `1,234 records`, `1 record`.
  static func plural(_ count: Int, _ word: String) -> String {
    "\(grouped(count)) \(word)\(count == 1 ? "" : "s")"
  }

  /// `1.5 MB`.
  static func bytes(_ count: Int) -> String {
    let units = ["bytes", "KB", "MB", "GB", "TB"]
    var value = Double(count)
    var unit = 0
    while value >= 1000, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return unit == 0 ? "\(count) bytes" : "\(fixed(value, 1)) \(units[unit])"
  }

  private static func grouped(_ number: Int) -> String { Progress.grouped(number) }

  /// With so many decimals.
  private static func fixed(_ value: Double, _ decimals: Int) -> String {
    let scale = (0..<decimals).reduce(1) { scale, _ in scale * 10 }
    let whole = Int((value * Double(scale)).rounded())
    let fraction = String(whole % scale)
    return "\(whole / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
  }
}
