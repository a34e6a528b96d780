import Codecs
import Records

extension JSONWriter {
  /// The member `statistics` of an object, where it is the first or behind a comma.
  package mutating func member(_ statistics: AnswerStatistics) {
    beginLine()
    name("statistics")
    beginObject()
    member("rows_looked_at", statistics.rowsLookedAt)
    member("rows_known", statistics.rowsKnown)
    member("blocks", statistics.blocks)
    member("pages_left_out", statistics.pagesLeftOut)
    member("bytes_looked_at", statistics.bytesLookedAt)
    name("ms")
    value(rounded: statistics.milliseconds)
    endObject()
  }
}
