import Codecs
import Decoding
import Masking
import Records

// The JSON decoder on any bytes: nothing traps, nothing is read out of bounds (address sanitizer), and what
// is accepted keeps its promises:
// - the batch has as many rows as were accepted, with valid offsets;
// - every stored object is canonical: decoding it again gives the same bytes;
// - nothing under a masked name is left.
// The first byte chooses dataset, mode, limits and masking; the rest is the body.

private func keysOnly(_ keys: [String]) -> MaskingRules {
  var rules = MaskingRules()
  rules.baselineKeys = keys
  rules.partialRules = []
  rules.heuristics = .off
  return rules
}

private let decoders: [RecordDecoder] = {
  var all: [RecordDecoder] = []
  for dataset in Registry.standard.datasets {
    for rules in [MaskingRules.off, keysOnly(["secret", "level"])] {
      for isTight in [false, true] {
        var limits = DecodingLimits()
        if isTight {
          limits.depthMax = 4
          limits.membersMax = 8
          limits.keyBytesMax = 16
          limits.entryBytesMax = 256
        }
        all.append(
          RecordDecoder(
            schema: dataset.schema, masking: MaskingPlan(rules, for: dataset.schema), limits: limits))
      }
    }
  }
  return all
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let start, count > 1 else { return 0 }
  let choice = Int(start[0])
  // An allocation of exactly this size, so that reading one byte too far is seen.
  let body = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
  let decoder = decoders[choice % decoders.count]
  let rejecting = try? decoder.decode(body, now: 0)
  if let rejecting { check(rejecting, decoder) }
  if let skipping = try? decoder.decode(body, onError: .skip(errorsMax: 4), now: 0) {
    check(skipping, decoder)
    if let rejecting {
      precondition(rejecting.acceptedCount == skipping.acceptedCount, "modes agree on good bodies")
    } else {
      precondition(!skipping.errors.isEmpty, "what one mode refuses the other lists")
    }
  } else {
    precondition(rejecting == nil, "what one mode accepts so does the other")
  }
  readAnything(body)
  return 0
}

private func check(_ body: DecodedBody, _ decoder: RecordDecoder) {
  precondition(body.acceptedCount == body.batch?.rowCount ?? 0, "a row an accepted entry")
  for error in body.errors { precondition(!error.message.isEmpty, "an error has a message") }
  guard let batch = body.batch else { return }
  for column in batch.columns where column.type.isText {
    let isObject = column.type == .json
    column.withText { offsets, bytes in
      precondition(offsets[0] == 0 && Int(offsets[batch.rowCount]) == bytes.count, "offsets cover the bytes")
      for row in 0..<batch.rowCount {
        precondition(offsets[row] <= offsets[row + 1], "offsets ascend")
        let text = bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1]))
        precondition(UTF8Repair.isValid(text), "text is UTF-8")
        if isObject, column.isValid(row) { checkObject(text, decoder) }
      }
    }
  }
}

/// No key twice and nothing under a masked name, at any depth.
private func checkMembers(_ text: Span<UInt8>, at start: Int, _ decoder: RecordDecoder) {
  var members = JSONMembers(text, object: start)
  var keys: Set<[UInt8]> = []
  while members.next(text) {
    let key = members.keyText(text)
    precondition(keys.insert(Array(key.utf8)).inserted, "no key twice")
    if !decoder.masking.isEmpty, key.lowercased().contains("secret") {
      let value = JSONScanner.string(text, members.value)
      precondition(value.hasPrefix(MaskingPlan.replacement) && value.utf8.count < 24, "masked")
    }
    checkNested(text, members.value, members.kind, decoder)
  }
}

private func checkNested(_ text: Span<UInt8>, _ value: Range<Int>, _ kind: JSONKind, _ decoder: RecordDecoder)
{
  if kind == .object { checkMembers(text, at: value.lowerBound, decoder) }
  guard kind == .array else { return }
  var elements = JSONElements(text, array: value.lowerBound)
  while elements.next(text) { checkNested(text, elements.value, elements.kind, decoder) }
}

/// Decoded again as the metadata of an audit record, an object must come out as it is.
private func checkObject(_ text: Span<UInt8>, _ decoder: RecordDecoder) {
  checkMembers(text, at: 0, decoder)
  let copy = text.indices.map { text[$0] }
  let record = Array(#"{"user_id":"u","action":"a","metadata":"#.utf8) + copy + [0x7D]
  let again = RecordDecoder(schema: Dataset.audit.schema, masking: .none)
  guard let batch = try? again.decode(record, now: 0).batch, let column = batch.column("metadata") else {
    preconditionFailure("a stored object is valid")
  }
  column.withText { _, bytes in
    precondition(bytes.indices.map { bytes[$0] } == copy, "a stored object is canonical")
  }
}

/// The readers for checked text must end on any bytes.
private func readAnything(_ body: [UInt8]) {
  var members = JSONMembers(body.span)
  var count = 0
  while members.next(body.span), count < 50 {
    _ = members.keyText(body.span)
    _ = JSONNumber.classify(body.span.extracting(members.value))
    count += 1
  }
  _ = JSONScanner.member(body.span, path: [[0x61], [0x62]])
  _ = RFC3339.parse(body.span)
  _ = UUIDv7.parse(body.span)
  var position = 0
  _ = Varint.read(body.span, at: &position)
  var repaired: [UInt8] = []
  UTF8Repair.append(body.span, to: &repaired)
  precondition(UTF8Repair.isValid(repaired.span), "repaired text is UTF-8")
  var writer = JSONWriter()
  writer.appendString(repaired.span)
  let quoted = writer.takeBytes()
  var back: [UInt8] = []
  JSONScanner.appendUnescaped(quoted.span, 0..<quoted.count, to: &back)
  precondition(back == repaired, "a written string reads back the same")
}
