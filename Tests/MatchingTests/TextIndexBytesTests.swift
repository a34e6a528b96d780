import Matching
import Records
import Testing

/// Bytes that are not what was written.
@Suite struct TextIndexBytesTests {
  private func sample() throws -> IndexedTexts {
    try IndexedTexts(SampleLines.generated(600), rowsPerPage: 64)
  }

  /// Opens and asks everything; what it throws does not matter, that it comes back does.
  private func useAll(_ bytes: [UInt8]) throws(TextIndexError) {
    let index = try TextIndex(Buffer(copying: bytes))
    try index.verify()
    guard let automaton = try? TextAutomaton(.contains("request_id=req-1 ", ignoreCase: false)) else {
      return
    }
    let verdict = try index.verdict(for: automaton)
    for page in 0..<index.pageCount { _ = try verdict.selection(page: page) }
    _ = try index.pages(nestedIn: "metadata", matching: automaton)
  }

  @Test func everyChangedByteIsFound() throws {
    let bytes = try sample().bytes
    try useAll(bytes)
    let seed: UInt64 = 31
    var random = SeededRandom(seed: seed)
    for _ in 0..<1500 {
      var changed = bytes
      let place = random.once(in: 2) ? random.below(bytes.count) : random.below(min(bytes.count, 4000))
      changed[place] ^= UInt8(1 + random.below(255))
      #expect(throws: TextIndexError.self, "seed \(seed), byte \(place)") { try useAll(changed) }
    }
  }

  @Test func everyCutIsFound() throws {
    let bytes = try sample().bytes
    for length in stride(from: 0, to: bytes.count, by: 97) {
      #expect(throws: TextIndexError.self, "cut at \(length)") { try useAll(Array(bytes[..<length])) }
    }
    #expect(throws: TextIndexError.self) { try useAll(bytes + [0]) }
  }

  @Test func aLaterVersionIsNamed() throws {
    var bytes = try sample().bytes
    bytes[4] = 3
    #expect(throws: TextIndexError.version(3)) { try useAll(bytes) }
  }

  /// Checksums made right again after each change, so that the checks behind them are reached: nothing may
  /// trap.
  @Test func bytesWithRightChecksumsNeverTrap() throws {
    let bytes = try IndexedTexts(SampleLines.generated(120), rowsPerPage: 40).bytes
    var random = SeededRandom(seed: 41)
    var refused = 0
    for _ in 0..<4000 {
      var changed = bytes
      for _ in 0...random.below(3) {
        let place = random.once(in: 3) ? random.below(48) : random.below(bytes.count)
        changed[place] = random.pick([0, 1, 0x7F, 0x80, 0xFF, UInt8(random.below(256))])
      }
      repair(&changed, pageCount: 3)
      do throws(TextIndexError) { try useAll(changed) } catch { refused += 1 }
    }
    #expect(refused > 100 && refused < 4000, "\(refused)")
  }

  /// Puts the checksums of all pages that lie within the bytes, and that of the head, right.
  private func repair(_ bytes: inout [UInt8], pageCount: Int) {
    func number(at place: Int) -> UInt64 {
      (0..<8).reduce(0) { $0 | UInt64(bytes[place + $1]) << UInt64($1 * 8) }
    }
    func put(_ value: UInt64, at place: Int) {
      for index in 0..<8 { bytes[place + index] = UInt8(truncatingIfNeeded: value >> UInt64(index * 8)) }
    }
    let length = number(at: 8)
    guard length < UInt64(bytes.count), length > 64 + UInt64(pageCount) * 48 else { return }
    let headByteCount = Int(length)
    var sectionStart = headByteCount
    for section in 0..<3 {
      var start = 0
      for page in 0..<pageCount {
        let entry = headByteCount - 8 - (3 - section) * pageCount * 16 + page * 16
        let end = Int(truncatingIfNeeded: number(at: entry) & 0xFFFF_FFFF)
        if start <= end, sectionStart + end <= bytes.count {
          let part = Array(bytes[sectionStart + start..<sectionStart + end])
          put(TextIndexLayout.checksum(part.span), at: entry + 8)
          start = end
        }
      }
      sectionStart += start
    }
    let head = Array(bytes[..<(headByteCount - 8)])
    put(TextIndexLayout.checksum(head.span), at: headByteCount - 8)
  }
}
