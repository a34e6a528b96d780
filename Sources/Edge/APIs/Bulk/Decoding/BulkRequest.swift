import Codecs
import Decoding
import Masking
import Records
import Shaping

/// Turns bodies of Elasticsearch's `_bulk` into a batch of the dataset `logs`. Immutable: make one and keep
/// it.
///
/// A document's columns are found by ``RecordShape``; the index it was meant for is the label `index`, its id
/// the member `_id` of its metadata.
package struct BulkRequest: Sendable {
  /// An action of a body, in its order.
  package struct Item: Sendable, Hashable {
    /// `index`, `create`, or what is refused.
    package var action: String
    package var index: String
    /// nil: the server is to make one.
    package var id: String?
    /// Why it is left out; nil: it is stored.
    package var refusal: Refusal?
  }

  /// Why a document is left out.
  package struct Refusal: Sendable, Hashable {
    package enum Kind: String, Sendable {
      case parsing = "document_parsing_exception"
      case action = "illegal_argument_exception"
    }

    package let kind: Kind
    package let reason: String
  }

  /// What a body held.
  package struct Decoded: Sendable {
    /// nil: nothing is to be stored.
    package let batch: RecordBatch?
    package let items: [Item]
    /// Documents whose time could not be read, and stays in their metadata.
    package let unreadableTimeCount: Int
    /// Bytes of all as text.
    package let textBytes: Int
  }

  /// Longer actions are none.
  private static let actionBytesMax = 4_096

  private var decoder: RecordDecoder
  private var shape = RecordShape()

  /// - Parameter masking: What is hidden, for the dataset `logs`.
  package init(masking: MaskingPlan = .none, limits: DecodingLimits = DecodingLimits()) {
    decoder = RecordDecoder(schema: Dataset.logs.schema, masking: masking, limits: limits)
  }

  /// The same with another plan.
  package func masked(by plan: MaskingPlan) -> BulkRequest {
    var other = self
    other.decoder = decoder.masked(by: plan)
    return other
  }

  /// The same where the mapping's names give columns first.
  package func mapped(by mapping: FieldMapping) -> BulkRequest {
    var other = self
    other.shape = shape.mapped(by: mapping)
    return other
  }

  /// - Parameters:
  ///   - index: Of actions that name none; empty: they must.
  ///   - now: Of documents without a time: nanoseconds since 1970.
  ///   - memory: What the documents take as records is taken of it meanwhile.
  /// - Throws: It is no such body as a whole: an action cannot be read, so that what follows means nothing.
  package func decode(
    _ body: [UInt8], index: String, now: Int64, within memory: DecodingMemory = .unbounded
  ) throws(PushFault) -> Decoded {
    let most = decoder.limits.entriesMax
    var lines = RecordLines(memory: memory, recordsMax: most, refusalsMax: most)
    var reading = Reading(body: body, index: index, times: LogTime(now: now), shape: shape)
    let pushed: PushedRecords
    do throws(PushFault) {
      try reading.read(into: &lines)
      pushed = try lines.decode(by: decoder, now: now)
    } catch {
      lines.giveBack()
      throw error
    }
    for refusal in pushed.refusals where reading.items[refusal.record].refusal == nil {
      reading.items[refusal.record].refusal = Refusal(kind: .parsing, reason: refusal.reason)
    }
    return Decoded(
      batch: pushed.batch, items: reading.items, unreadableTimeCount: reading.unreadableTimeCount,
      textBytes: pushed.textBytes)
  }
}

extension BulkRequest {
  /// Reads a body line by line.
  private struct Reading {
    let body: [UInt8]
    let index: String
    let times: LogTime
    let shape: RecordShape
    var items: [Item] = []
    var unreadableTimeCount = 0
    private var at = 0

    init(body: [UInt8], index: String, times: LogTime, shape: RecordShape) {
      self.body = body
      self.index = index
      self.times = times
      self.shape = shape
      if body.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    }

    mutating func read(into lines: inout RecordLines) throws(PushFault) {
      while let line = nextLine() {
        let number = items.count
        var item = try action(line)
        switch item.action {
        case "index", "create": try readDocument(&item, into: &lines)
        case "update":
          _ = nextLine()
          try refuse(&item, .action, "records are never changed: use create or index", &lines)
        case "delete":
          try refuse(&item, .action, "records are deleted by POST /v1/delete", &lines)
        default:
          throw .malformed(
            "action \(number): expected one of [create, delete, index, update]")
        }
        items.append(item)
      }
      if items.isEmpty { throw .empty }
    }

    /// The next line that is not blank.
    private mutating func nextLine() -> Range<Int>? {
      while at < body.count {
        let start = at
        let end = body[at...].firstIndex(of: 0x0A) ?? body.count
        at = end + 1
        if body[start..<end].contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) {
          return start..<end
        }
      }
      return nil
    }

    private func action(_ line: Range<Int>) throws(PushFault) -> Item {
      // Its tree takes memory that nobody counts.
      guard line.count <= BulkRequest.actionBytesMax else {
        throw .malformed("action \(items.count): more than \(BulkRequest.actionBytesMax) bytes")
      }
      let tree: JSONTree
      do throws(JSONTree.SyntaxError) { tree = try JSONTree(parsing: Array(body[line])) } catch {
        throw .malformed(
          "action \(items.count): not JSON: at byte \(line.lowerBound + error.offsetBytes): \(error.reason)")
      }
      guard case .object(let members) = tree, members.count == 1, case .object = members[0].value else {
        throw .malformed(
          "action \(items.count): expected an object with one action, as {\"create\":{\"_index\":\"app\"}}")
      }
      var item = Item(action: members[0].name, index: index)
      if case .string(let name)? = members[0].value["_index"], !name.isEmpty { item.index = name }
      switch members[0].value["_id"] {
      case .string(let id)?: item.id = id
      case .int64(let id)?: item.id = "\(id)"
      default: break
      }
      guard item.index.utf8.count <= 255, item.id?.utf8.count ?? 0 <= 512 else {
        throw .malformed("action \(items.count): an index of more than 255 bytes, or an id of more than 512")
      }
      return item
    }

    private mutating func readDocument(_ item: inout Item, into lines: inout RecordLines) throws(PushFault) {
      guard let line = nextLine() else {
        return try refuse(&item, .parsing, "the document is missing", &lines)
      }
      guard !item.index.isEmpty else {
        return try refuse(
          &item, .action, "index is missing: name it in the action, or in the path (/app/_bulk)", &lines)
      }
      var reader = JSONReader(body, from: line.lowerBound, keepsNumberTexts: true)
      var members = JSONWriter(capacity: line.count + 256)
      let outcome: RecordShape.Outcome?
      var given = RecordShape.Given()
      given.service = BulkRequest.service(of: item.index)
      do throws(JSONTree.SyntaxError) {
        outcome = try shape.write(&reader, of: body, to: &members, times: times, given: given)
      } catch {
        let column = min(error.offsetBytes, line.upperBound) - line.lowerBound + 1
        return try refuse(&item, .parsing, "[1:\(column)] failed to parse: \(error.reason)", &lines)
      }
      guard let outcome else { return try refuse(&item, .parsing, "[1:1] not a JSON object", &lines) }
      // White space within an object may be a line's end, which no document has.
      guard reader.at <= line.upperBound, reader.peek() == nil || reader.at >= line.upperBound else {
        return try refuse(&item, .parsing, "a document is one line", &lines)
      }
      if outcome.hasUnreadableTime { unreadableTimeCount += 1 }
      let (written, index, id) = (members.takeBytes(), item.index, item.id)
      try lines.append(bytesMax: written.count + index.utf8.count * 6 + (id?.utf8.count ?? 0) * 6 + 64) {
        text throws(PushFault) in
        text.members(written)
        text.name("labels")
        text.beginObject()
        text.name("index")
        text.value(repaired: index)
        text.endObject()
        if let id {
          text.name("_id")
          text.value(repaired: id)
        }
      }
    }

    private func refuse(
      _ item: inout Item, _ kind: Refusal.Kind, _ reason: String, _ lines: inout RecordLines
    ) throws(PushFault) {
      item.refusal = Refusal(kind: kind, reason: reason)
      try lines.refuse(reason)
    }
  }

  /// Of `logs-{dataset}-{namespace}`, as data streams are called, the dataset; nil: another name.
  private static func service(of index: String) -> String? {
    let parts = index.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].elementsEqual("logs".utf8), !parts[1].isEmpty,
      !parts[1].elementsEqual("generic".utf8)
    else { return nil }
    return String(Substring(parts[1]))
  }
}
