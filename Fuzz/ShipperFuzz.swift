import Codecs
import Decoding
import EntryDecoding
import Masking
import Records

// What shippers send to Splunk and Datadog, and to /insert and /upload, on any bytes: nothing traps, nothing
// is read out of bounds (address sanitizer), and the memory that was taken is given back. The first byte
// chooses limits and masking, and the program; the rest is the body.

private let limits: [DecodingLimits] = {
  var tight = DecodingLimits()
  tight.entriesMax = 3
  tight.entryBytesMax = 128
  tight.membersMax = 4
  tight.keyBytesMax = 8
  return [DecodingLimits(), DecodingLimits(), tight]
}()
private let masking = MaskingPlan(MaskingRules(), for: Dataset.logs.schema)
private let events = limits.enumerated().map { SplunkEvents(masking: $0 == 1 ? masking : .none, limits: $1) }
private let logs = limits.enumerated().map { DatadogLogs(masking: $0 == 1 ? masking : .none, limits: $1) }

private let inserts = limits.enumerated().map { InsertBody(masking: $0 == 1 ? masking : .none, limits: $1) }
private let exports = limits.enumerated().map {
  JournalExport(masking: $0 == 1 ? masking : .none, limits: $1)
}

private final class Held: @unchecked Sendable {
  // Safe because: the fuzzer has one thread.
  var bytes = 0
}

private func decode(_ body: [UInt8], _ choice: Int, within memory: DecodingMemory) throws(PushFault) {
  let setting = choice % 3
  var origin = SplunkEvents.Origin()
  origin.source = "s"
  switch choice / 3 % 7 {
  case 0: check(try events[setting].decode(body, origin, now: 0, within: memory))
  case 1: check(try events[setting].decode(lines: body, origin, now: 0, within: memory))
  case 2:
    var origin = DatadogLogs.Origin()
    origin.tags = "env:prod,a"
    check(try logs[setting].decode(body, origin, now: 0, within: memory).records)
  case 3, 4:
    var origin = InsertBody.Origin()
    origin.level = "warn"
    let form = choice / 3 % 7 == 3 ? InsertBody.Form.lines : .json
    check(try inserts[setting].decode(body, form, origin, now: 0, within: memory).records)
  default:
    let isLast = choice / 3 % 7 == 5
    let decoded = try exports[setting].decode(body, isLast: isLast, now: 0, within: memory)
    precondition(decoded.byteCount <= body.count, "no more is done with than there is")
    precondition(!isLast || decoded.byteCount > 0, "of what nothing follows something is whole")
    check(decoded.records)
  }
}

private func check(_ decoded: SplunkEvents.Decoded) {
  precondition((decoded.fault == nil) == (decoded.records.refusedCount == 0), "a refusal is told")
  precondition(decoded.fault != nil || decoded.records.batch != nil, "something is stored or refused")
  check(decoded.records)
}

private func check(_ records: PushedRecords) {
  precondition(records.refusals.isEmpty == (records.refusedCount == 0), "a refusal has a reason")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzShipper(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
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
  do { try decode(body, Int(start[0]), within: memory) } catch {}
  precondition(held.bytes == 0, "what was taken is given back")
  return 0
}
