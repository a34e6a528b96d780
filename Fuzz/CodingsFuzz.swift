import Columnar

// Bodies in any content coding. The first byte names the coding. Nothing may trap or read out of bounds; what
// comes out is within the bound and exactly what was asked for; and what our compressors make of the same
// bytes gives them back.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzCodings(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  guard count > 0 else { return 0 }
  let body = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
  let codings = ContentCoding.allCases
  let coding = codings[Int(start[0]) % codings.count]
  let bytesMax = 64 << 10
  var taken = 0
  let result = try? coding.decode(body.span, bytesMax: bytesMax) { more in
    precondition(more > 0 || coding == .snappy || coding == .snappyFramed, "nothing is asked for in vain")
    guard taken + more <= 48 << 10 else { return false }
    taken += more
    return true
  }
  precondition(taken <= bytesMax, "no more is asked for than may come out")
  if let result { precondition(result.count == taken, "as many bytes as were asked for") }
  repeatBack(body, .gzip, .gzip)
  repeatBack(body, .zstd, .zstd)
  return 0
}

private func repeatBack(_ bytes: [UInt8], _ coding: StreamCompressor.Coding, _ reading: ContentCoding) {
  let half = bytes.count / 2
  guard let compressor = try? StreamCompressor(coding),
    let first = try? compressor.compress(bytes.span.extracting(0..<half)),
    let second = try? compressor.finish(bytes.span.extracting(half..<bytes.count)),
    let back = try? reading.decode((first + second).span, bytesMax: bytes.count, take: { _ in true })
  else { preconditionFailure("what we compress can be read") }
  precondition(back == bytes, "and is the same")
}
