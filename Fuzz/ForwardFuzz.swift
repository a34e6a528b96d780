import Codecs
import Decoding
import EntryDecoding
import Masking
import Records

// GELF messages and messages of Fluentd's forward protocol, of any bytes: nothing traps, nothing is read out
// of bounds (address sanitizer), and each event becomes a record or a refusal. The first byte chooses which,
// and whether secrets are masked.

private let rules = MaskingPlan(MaskingRules(), for: Dataset.logs.schema)
private let forward = [ForwardDecoder(), ForwardDecoder(masking: rules)]
private let gelf = [GELFDecoder(), GELFDecoder(masking: rules)]
private let now: Int64 = 1_795_846_770_000_000_000

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzForward(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 1 else { return 0 }
  // An allocation of exactly this size, so that reading one byte too far is seen.
  let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
  let choice = Int(start[0])
  if choice & 2 != 0 {
    var batch = MessageBatch()
    batch.append(bytes[...], from: "10.0.0.7", isCut: choice & 4 != 0)
    do {
      let decoded = try gelf[choice & 1].decode(batch, now: now)
      let rows = decoded.records.batch?.rowCount ?? 0
      precondition(rows + decoded.records.refusedCount == 1, "a record a message")
    } catch { preconditionFailure("messages are not refused as a whole") }
    return 0
  }
  var scan = MessagePackScan()
  var at = 0
  while let end = try? scan.end(of: bytes, from: at) {
    if let message = try? ForwardMessage(bytes, at..<end) {
      _ = message.answer(in: bytes)
      _ = try? forward[choice & 1].decode([ForwardDecoder.Part(message, in: bytes)], now: now)
    }
    at = end
    scan = MessagePackScan()
  }
  return 0
}
