import Codecs
import Records

/// Why a push of records in another program's form is refused as a whole.
package enum PushFault: Error, Sendable, Hashable {
  /// It is not of that form; in a few words, without what was sent.
  case malformed(String)
  /// It has nothing that could hold records.
  case empty
  /// Others have the memory now.
  case busy
  /// It has too many records, or takes more than a body may once what they have in common is repeated.
  case tooLarge
  /// A record, or what records have in common, cannot be taken; a record is left out for it.
  case badRecord(String)
}

/// What a push held.
package struct PushedRecords: Sendable {
  /// A record that was left out.
  package struct Refusal: Sendable, Hashable {
    /// Which it is, from 0, in the order they were sent.
    package let record: Int
    package let reason: String

    package init(record: Int, reason: String) {
      self.record = record
      self.reason = reason
    }
  }

  /// A row a record that was accepted, in the order they were sent; nil: none was.
  package let batch: RecordBatch?
  /// How many were left out.
  package let refusedCount: Int
  /// The first of them, in their order.
  package let refusals: [Refusal]
  /// Bytes of all as text, what they have in common repeated.
  package let textBytes: Int

  package init(batch: RecordBatch?, refusedCount: Int, refusals: [Refusal], textBytes: Int) {
    self.textBytes = textBytes
    self.batch = batch
    self.refusedCount = refusedCount
    self.refusals = refusals
  }
}

/// Records in the forms of other programs, as lines of JSON that a ``RecordDecoder`` takes: so masking,
/// limits and faults of a record are those of the native API.
///
/// Since a few bytes of a push may stand for many records, memory is taken as the lines grow; it is given
/// back by ``decode(by:now:)`` or ``giveBack()``, whichever comes first.
package struct RecordLines: ~Copyable {
  /// Taken at once.
  private static let stepBytes = 256 << 10

  private var text = JSONWriter(capacity: 4_096)
  private let memory: DecodingMemory
  private var takenBytes = 0
  /// Records so far, those that were refused too.
  package private(set) var count = 0
  /// Of each line, which record it is.
  private var records: [Int] = []
  private var refusals: [PushedRecords.Refusal] = []
  private var refusedCount = 0
  private let refusalsMax: Int
  private let recordsMax: Int
  private var groupCount = 0

  /// - Parameters:
  ///   - memory: What the lines take is taken of it meanwhile.
  ///   - recordsMax: Records there may be, those that are refused too.
  ///   - refusalsMax: So many refusals are kept; the rest is counted.
  package init(memory: DecodingMemory, recordsMax: Int, refusalsMax: Int = 1) {
    self.memory = memory
    self.recordsMax = recordsMax
    self.refusalsMax = refusalsMax
  }

  /// Bytes of the lines so far.
  package var textBytes: Int { text.byteCount }

  /// Notes that records follow which have something in common, or none do: what takes work and room without
  /// being a record is bounded as records are.
  ///
  /// - Throws: `.tooLarge`: there are more of these than records there may be.
  package mutating func beginGroup() throws(PushFault) {
    groupCount += 1
    guard groupCount <= recordsMax else { throw .tooLarge }
  }

  /// Appends a record of which `write` writes the members, in at most `bytesMax` bytes; leaves it out if
  /// `write` throws `.badRecord`, whatever it has written until then.
  ///
  /// - Throws: `.busy`, `.tooLarge`, and what else `write` throws.
  package mutating func append(
    bytesMax: Int, _ write: (inout JSONWriter) throws(PushFault) -> Void
  ) throws(PushFault) {
    guard count < recordsMax else { throw .tooLarge }
    try takeRoom(bytesMax + 4)
    let start = text.byteCount
    text.beginObject()
    do throws(PushFault) { try write(&text) } catch {
      text.cut(to: start)
      guard case .badRecord(let reason) = error else { throw error }
      return try refuse(reason)
    }
    text.endObject()
    text.append(0x0A)
    text.beginLine()
    records.append(count)
    count += 1
  }

  /// Leaves a record out.
  ///
  /// - Throws: `.tooLarge`: too many records.
  package mutating func refuse(_ reason: String) throws(PushFault) {
    guard count < recordsMax else { throw .tooLarge }
    note(PushedRecords.Refusal(record: count, reason: reason))
    count += 1
  }

  private mutating func note(_ refusal: PushedRecords.Refusal) {
    refusedCount += 1
    if refusals.count < refusalsMax { refusals.append(refusal) }
  }

  private mutating func takeRoom(_ bytes: Int) throws(PushFault) {
    let needed = text.byteCount + bytes
    // What takes more than half of all there is, beside its body, would wait for ever.
    guard needed <= min(RecordDecoder.bodyBytesMax, memory.bytesMax / 2) else { throw .tooLarge }
    guard needed > takenBytes else { return }
    let more = max(RecordLines.stepBytes, needed - takenBytes, min(takenBytes, 16 << 20))
    do throws(EntryHindrance) { try memory.take(more) } catch {
      if case .shortage(.lasting) = error { throw .tooLarge }
      throw .busy
    }
    takenBytes += more
  }

  /// Gives all memory back: the lines are not wanted any more.
  package mutating func giveBack() {
    memory.give(takenBytes)
    takenBytes = 0
  }

  /// The lines as records.
  ///
  /// - Parameter now: Of records without a time: nanoseconds since 1970.
  /// - Throws: `.tooLarge`: too many records.
  package mutating func decode(by decoder: RecordDecoder, now: Int64) throws(PushFault) -> PushedRecords {
    defer { giveBack() }
    guard !records.isEmpty else {
      return PushedRecords(batch: nil, refusedCount: refusedCount, refusals: refusals, textBytes: 0)
    }
    let errorsMax = refusalsMax
    let decoded: DecodedBody
    do throws(DecodingError) {
      decoded = try text.withBytes { text throws(DecodingError) in
        try decoder.decode(text, format: .lines, onError: .skip(errorsMax: errorsMax), now: now)
      }
    } catch {
      switch error.reason {
      case .tooManyEntries, .bodyTooLarge: throw .tooLarge
      default: throw .malformed(error.reason.text)
      }
    }
    for error in decoded.errors {
      let line = error.entry ?? 0
      note(
        PushedRecords.Refusal(
          record: records[min(line, records.count - 1)],
          reason: (error.field.map { "\($0): " } ?? "") + error.reason.text))
    }
    refusedCount += decoded.rejectedCount - decoded.errors.count
    return PushedRecords(
      batch: decoded.batch, refusedCount: refusedCount,
      refusals: refusals.sorted { $0.record < $1.record }, textBytes: text.byteCount)
  }
}
