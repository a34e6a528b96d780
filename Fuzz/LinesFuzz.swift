import Codecs
import Matching
import Records
import Shaping

// Files of lines of any bytes: nothing traps, nothing is read out of bounds (address sanitizer), the pieces
// follow one another to the end, and each record is an object of JSON. The first byte chooses the format, the
// second how the input is cut and the zone.

private let now: Int64 = 1_795_846_770_000_000_000
private let forms = LineForm.named

private func format(_ choice: Int, _ bytes: [UInt8], _ times: LineTimes) -> LineFormat {
  let form = forms[choice % forms.count]
  switch choice / forms.count {
  case 0, 1: return LineFormat.detect(bytes, times: times)
  case 2: return LineFormat(form == .csv ? .text : form)
  case 3: return LineFormat(form == .csv ? .text : form, in: .cri)
  case 4: return LineFormat(form == .csv ? .text : form, in: .docker)
  case 5: return LineFormat(named: form.rawValue, head: bytes, times: times) ?? LineFormat(.text)
  case 6: return LineFormat(.json, isPretty: true)
  default: return LineFormat(own, in: choice & 1 == 0 ? nil : .cri)
  }
}

private let own: LinePattern = {
  do throws(StoreError) {
    return try LinePattern(
      #"^(?:<(?<level>\w*)>)?(?<time>[^|]{0,40})?\|(?<app>\w*)(?:\||$)(?<n>-?[0-9]*)(?<message>.*)"#)
  } catch { fatalError("the pattern is one") }
}()

/// Files whose records are no lines come out the same in whatever pieces they are read.
private func checkListed(_ bytes: [UInt8], piece: Int) {
  var (lists, list) = (ListLines(), ListLines())
  let listed = list.decode(bytes, atEnd: true)
  var out: [UInt8] = []
  for start in stride(from: 0, to: bytes.count, by: piece) {
    out += lists.decode(Array(bytes[start..<min(start + piece, bytes.count)]), atEnd: false)
  }
  precondition(out + lists.decode([], atEnd: true) == listed, "a list is the same in any pieces")
  var (exports, export) = (ExportLines(), ExportLines())
  let whole = export.decode(bytes, atEnd: true)
  out = []
  for start in stride(from: 0, to: bytes.count, by: piece) {
    out += exports.decode(Array(bytes[start..<min(start + piece, bytes.count)]), atEnd: false)
  }
  precondition(out + exports.decode([], atEnd: true) == whole, "entries are the same in any pieces")
  precondition((exports.fault == nil) == (export.fault == nil), "what is broken is broken in pieces")
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzLines(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 2 else { return 0 }
  // An allocation of exactly this size, so that reading one byte too far is seen.
  let bytes = Array(UnsafeBufferPointer(start: start + 2, count: count - 2))
  let (choice, cut) = (Int(start[0]), Int(start[1]))
  let times = LineTimes(
    zone: cut & 1 == 0 ? nil : LineTimes.Zone(offsetSeconds: (cut - 128) * 600), now: now)
  var options = LineRecords.Options(times: times)
  options.bytesMax = cut & 2 == 0 ? 64 : 1 << 20
  options.skipsEmpty = cut & 4 != 0
  options.joinsLines = cut & 8 == 0
  if cut & 16 != 0 { options.service = "shop" }
  if cut & 32 != 0 { options.since = 1_764_504_000_000_000_000 }
  var records = LineRecords(format(choice, bytes, times), options)
  var end = 0
  func check(_ batch: LineBatch) {
    precondition(batch.range.lowerBound == end, "batches follow one another")
    end = batch.range.upperBound
    let lines = batch.body.split(separator: 0x0A)
    precondition(lines.count == batch.places.count, "a line a record")
    for line in lines {
      var reader = JSONReader(Array(line))
      do throws(JSONTree.SyntaxError) {
        try reader.skip()
        try reader.end()
      } catch { preconditionFailure("a record is JSON") }
    }
  }
  var at = 0
  while at < bytes.count {
    let next = min(bytes.count, at + cut % 61 + 1)
    records.feed(Array(bytes[at..<next]))
    at = next
    while let batch = records.next(atEnd: false, isLive: cut & 64 != 0) { check(batch) }
  }
  while let batch = records.next(atEnd: true) { check(batch) }
  precondition(end == bytes.count, "all of the input is in a batch")
  if cut & 128 != 0 { checkListed(bytes, piece: cut % 61 + 1) }
  return 0
}
