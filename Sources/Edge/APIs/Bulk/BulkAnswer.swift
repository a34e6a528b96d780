import Codecs
import EntryDecoding
import Records
import Routing

/// What a bulk is answered: an item an action, in their order, without blanks (Fluent Bit looks for
/// `"errors":false,"items":[` in what it could read of it).
enum BulkAnswer {
  /// What of it is shown: `filter_path`.
  struct Shown {
    var hasTook = true
    /// Of items, their status and fault alone.
    var isShort = false

    init() {}

    init(_ query: QueryItems) {
      guard let paths = query["filter_path"], !paths.isEmpty else { return }
      isShort = true
      hasTook = paths.utf8.split(separator: UInt8(ascii: ",")).contains { $0.elementsEqual("took".utf8) }
    }
  }

  /// - Parameter receipt: Of the items that have no refusal, in their order; nil: there are none.
  static func json(
    _ items: [BulkRequest.Item], _ receipt: AppendReceipt?, shown: Shown, milliseconds: Int64
  ) -> [UInt8] {
    var text = JSONWriter(capacity: 128 + items.count * (shown.isShort ? 32 : 192))
    text.beginObject()
    if shown.hasTook {
      text.name("took")
      text.value(milliseconds)
    }
    text.member("errors", items.contains { $0.refusal != nil })
    text.name("items")
    text.beginArray()
    var row = 0
    for item in items {
      text.beginObject()
      text.name(text: item.action)
      text.beginObject()
      if !shown.isShort { text.member("_index", item.index) }
      if let refusal = item.refusal {
        if !shown.isShort { text.member("_id", item.id) }
        text.member("status", 400)
        text.name("error")
        text.beginObject()
        text.member("type", refusal.kind.rawValue)
        text.member("reason", refusal.reason)
        text.endObject()
      } else {
        if let receipt, !shown.isShort { stored(item, receipt, row, to: &text) }
        text.member("status", 201)
        row += 1
      }
      text.endObject()
      text.endObject()
    }
    text.endArray()
    text.endObject()
    return text.takeBytes()
  }

  private static func stored(
    _ item: BulkRequest.Item, _ receipt: AppendReceipt, _ row: Int, to text: inout JSONWriter
  ) {
    text.member("_id", item.id ?? Hex.text(receipt.id(of: row)))
    text.member("_version", 1)
    text.member("result", "created")
    text.name("_shards")
    text.beginObject()
    text.member("total", 1)
    text.member("successful", 1)
    text.member("failed", 0)
    text.endObject()
    text.name("_seq_no")
    text.value(receipt.firstPosition + Int64(row))
    text.member("_primary_term", 1)
  }
}
