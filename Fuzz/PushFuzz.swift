import Codecs
import Decoding
import EntryDecoding
import Masking
import Records

// Pushes in other programs' forms on any bytes: nothing traps, nothing is read out of bounds (address
// sanitizer), and the memory that was taken is given back. The first byte chooses program (of six values
// each: Loki, OpenTelemetry, Elasticsearch), form, limits and masking; the rest is the body.

private let limits: [DecodingLimits] = {
  var tight = DecodingLimits()
  tight.entriesMax = 3
  tight.entryBytesMax = 128
  tight.membersMax = 4
  tight.keyBytesMax = 8
  return [DecodingLimits(), DecodingLimits(), tight]
}()
private let masking = MaskingPlan(MaskingRules(), for: Dataset.logs.schema)
private let pushes = limits.enumerated().map { LokiPush(masking: $0 == 1 ? masking : .none, limits: $1) }
private let exports = limits.enumerated().map { OTLPLogs(masking: $0 == 1 ? masking : .none, limits: $1) }
private let bulks = limits.enumerated().map { BulkRequest(masking: $0 == 1 ? masking : .none, limits: $1) }

private final class Held: @unchecked Sendable {
  // Safe because: the fuzzer has one thread.
  var bytes = 0
}

private func push(_ body: [UInt8], _ choice: Int, within memory: DecodingMemory) throws(PushFault) {
  let (isJSON, setting) = (choice & 1 == 0, choice / 2 % 3)
  switch choice / 6 % 3 {
  case 0: check(try pushes[setting].decode(body, isJSON ? .json : .protobuf, within: memory))
  case 1: check(try exports[setting].decode(body, isJSON ? .json : .protobuf, now: 0, within: memory))
  default:
    let decoded = try bulks[setting].decode(body, index: isJSON ? "i" : "", now: 0, within: memory)
    let stored = decoded.items.reduce(0) { $0 + ($1.refusal == nil ? 1 : 0) }
    precondition(stored == decoded.batch?.rowCount ?? 0, "a row an item that is not refused")
  }
}

private func check(_ records: PushedRecords) {
  precondition(records.refusals.isEmpty == (records.refusedCount == 0), "a refusal has a reason")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPush(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 1 else { return 0 }
  // An allocation of exactly this size, so that reading one byte too far is seen.
  let body = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
  let held = Held()
  let memory = DecodingMemory(
    bytesMax: 1 << 20,
    take: { count in
      guard held.bytes + count <= 1 << 20 else { return false }
      held.bytes += count
      return true
    }, give: { held.bytes -= $0 })
  do { try push(body, Int(start[0]), within: memory) } catch {}
  precondition(held.bytes == 0, "what was taken is given back")
  return 0
}
