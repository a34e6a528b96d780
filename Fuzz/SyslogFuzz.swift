import Codecs
import Decoding
import EntryDecoding
import Masking
import Records

// Syslog messages of any bytes, cut at line feeds: nothing traps, nothing is read out of bounds (address
// sanitizer), and each message becomes a record. The first byte chooses whether secrets are masked, and the
// zone.

private let plain = SyslogDecoder()
private let masked = SyslogDecoder(masking: MaskingPlan(MaskingRules(), for: Dataset.logs.schema))
private let now: Int64 = 1_795_846_770_000_000_000

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSyslog(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 1 else { return 0 }
  // An allocation of exactly this size, so that reading one byte too far is seen.
  let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
  let choice = Int(start[0])
  var batch = MessageBatch()
  var from = 0
  for end in bytes.indices where bytes[end] == 0x0A {
    batch.append(bytes[from..<end], from: "10.0.0.7", isCut: choice & 2 != 0)
    from = end + 1
  }
  batch.append(bytes[from...], from: "10.0.0.7")
  do {
    let decoded = try (choice & 1 == 0 ? plain : masked).decode(
      batch, offsetSeconds: (choice / 4 - 32) * 1_800, now: now)
    let rows = decoded.records.batch?.rowCount ?? 0
    precondition(rows + decoded.records.refusedCount == batch.messages.count, "a record a message")
  } catch { preconditionFailure("messages are not refused as a whole") }
  return 0
}
