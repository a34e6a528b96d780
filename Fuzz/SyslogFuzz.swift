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
  var messages: [SyslogDecoder.Message] = []
  var from = 0
  for end in bytes.indices where bytes[end] == 0x0A {
    messages.append(SyslogDecoder.Message(range: from..<end, source: 0, isCut: choice & 2 != 0))
    from = end + 1
  }
  messages.append(SyslogDecoder.Message(range: from..<bytes.count, source: 0, isCut: false))
  do {
    let decoded = try (choice & 1 == 0 ? plain : masked).decode(
      messages, in: bytes, from: ["10.0.0.7"], offsetSeconds: (choice / 4 - 32) * 1_800, now: now)
    let rows = decoded.records.batch?.rowCount ?? 0
    precondition(rows + decoded.records.refusedCount == messages.count, "a record a message")
  } catch { preconditionFailure("messages are not refused as a whole") }
  return 0
}
