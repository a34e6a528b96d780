import Codecs
import Columnar
import Foundation
import Shaping
import Testing

@testable import Commands

/// Files as they lie there: compressed, in other characters, rotated, written anew, not yet complete.
@Suite(.serialized) struct ImportFilesTests {
  private static func gzip(_ text: String) throws -> [UInt8] {
    try StreamCompressor(.gzip).finish(Array(text.utf8).span)
  }

  private static func utf16(_ text: String, isBigEndian: Bool) -> [UInt8] {
    let mark: [UInt8] = isBigEndian ? [0xFE, 0xFF] : [0xFF, 0xFE]
    return mark
      + text.utf16.flatMap { unit in
        let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xFF))
        return isBigEndian ? [high, low] : [low, high]
      }
  }

  private func write(_ bytes: [UInt8], _ name: String, _ bench: ImportTests.Bench) throws -> String {
    let path = bench.folder + "/" + name
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  /// A text is one import, in whatever file it lies.
  @Test func aTextIsKnownInEachOfItsForms() async throws {
    let bench = try await ImportTests.Bench()
    let text = ImportTests.text(0..<400)
    #expect(try await bench.importFile(try write(Array(text.utf8), "a.log", bench), batchBytes: 4_000) == 400)
    let twins: [(String, [UInt8])] = [
      ("copy.log", Array(text.utf8)), ("a.log.1.gz", try ImportFilesTests.gzip(text)),
      ("marked.log", [0xEF, 0xBB, 0xBF] + Array(text.utf8)),
      ("little.log", ImportFilesTests.utf16(text, isBigEndian: false)),
      ("big.log", ImportFilesTests.utf16(text, isBigEndian: true)),
      ("a.zst", try StreamCompressor(.zstd).finish(Array(text.utf8).span)),
    ]
    for (name, bytes) in twins {
      #expect(try await bench.importFile(try write(bytes, name, bench)) == 0, "\(name)")
    }
    let longer = try ImportFilesTests.gzip(text + ImportTests.text(400..<420))
    #expect(try await bench.importFile(try write(longer, "a.log.2.gz", bench)) == 20)
    #expect(bench.store.messages == ImportTests.lines(0..<420))
    await bench.finish()
  }

  /// Texts that begin alike are told apart by what comes then, and each is stored whole.
  @Test func namesakesAreAllStored() async throws {
    let bench = try await ImportTests.Bench()
    let beginning = String(repeating: "the same line\n", count: 400)
    for number in 0..<4 {
      let text = beginning + "\(number)\n" + ImportTests.text(number * 7..<number * 9 + 1)
      let path = try bench.write(text, to: "n\(number).log")
      let count = 401 + number * 2 + 1
      #expect(try await bench.importFile(path, batchBytes: 500) == count, "\(number)")
      #expect(try await bench.importFile(path) == 0)
    }
    // Short ones, of one first line.
    for number in 0..<4 {
      let path = try bench.write("head\n\(number)\n", to: "s\(number).log")
      #expect(try await bench.importFile(path) == 2)
      _ = try bench.write("head\n\(number)\n" + ImportTests.text(0..<20), to: "s\(number).log")
      #expect(try await bench.importFile(path) == 20, "grown beyond its first name")
      #expect(try await bench.importFile(path) == 0)
    }
    await bench.finish()
  }

  /// The half of a last line is no record; its other half does not make one of its own.
  @Test func anUnfinishedLineWaits() async throws {
    let bench = try await ImportTests.Bench()
    let path = try bench.write("one\ntw", to: "h.log")
    #expect(try await bench.importFile(path) == 1)
    _ = try bench.write("one\ntwo\n{\"msg\":\"thr", to: "h.log")
    #expect(try await bench.importFile(path) == 1)
    let old = try bench.write("one\ntwo\nlast", to: "h.log")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -120)], ofItemAtPath: old)
    #expect(try await bench.importFile(path) == 1, "nobody writes it any more")
    #expect(bench.store.messages == ["one", "two", "last"])
    await bench.finish()
  }

  @Test(
    arguments: [
      ([0x50, 0x4B, 0x03, 0x04], "zip"), ([0x00, 0x01, 0x02, 0x03, 0x04, 0x05], "binary"),
      ([0x7F, 0x45, 0x4C, 0x46], "program"), (Array("PAR1".utf8), "Parquet"),
      ([0x1F, 0x8B, 0x08, 0x00], "decompressed"),
    ] as [([UInt8], String)])
  func whatIsNoTextIsRefused(_ bytes: [UInt8], _ word: String) throws {
    let path = NSTemporaryDirectory() + "cordwood-kind-\(UUID().uuidString)"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    defer {
      // A leftover file in the temporary directory harms nobody.
      try? FileManager.default.removeItem(atPath: path)
    }
    let error = #expect(throws: Failure.self) { _ = try ImportSource(path) }
    #expect(error?.description.contains(word) == true, "\(String(describing: error))")
  }

  @Test func textsOfTwoBytesACharacterAreRead() {
    for isBigEndian in [false, true] {
      let text = "größer €\u{1F600}\n"
      let bytes = Array(ImportFilesTests.utf16(text, isBigEndian: isBigEndian).dropFirst(2))
      var decoder = UTF16Bytes(isBigEndian: isBigEndian)
      var decoded: [UInt8] = []
      for byte in bytes { decoded += decoder.decode([byte], atEnd: false) }
      #expect(decoded + decoder.decode([], atEnd: true) == Array(text.utf8))
    }
    var decoder = UTF16Bytes(isBigEndian: false)
    let halves = decoder.decode([0x00, 0xD8, 0x41, 0x00, 0x00, 0xDC, 0x00, 0xD8, 0x41], atEnd: true)
    #expect(String(decoding: halves, as: UTF8.self) == "\u{FFFD}A\u{FFFD}\u{FFFD}")
  }

  @Test func rotatedFilesAreInOrder() {
    let sorted = [
      "/l/a.log", "/l/a.log.1", "/l/a.log.10.gz", "/l/a.log.2.gz", "/l/b.log", "/l/b.log.20251130",
    ]
    .shuffled().sorted { RotationKey($0) < RotationKey($1) }
    #expect(
      sorted == [
        "/l/a.log.10.gz", "/l/a.log.2.gz", "/l/a.log.1", "/l/a.log", "/l/b.log.20251130", "/l/b.log",
      ])
  }

  @Test(arguments: [
    ("*.log", "a.log", true), ("*.log", "x/a.log", false), ("**/*.log", "x/y/a.log", true),
    ("a?c", "abc", true),
    ("a?c", "a/c", false), ("", "", true), ("*", "", true), ("a*b*c", "aXbYc", true), ("a*b", "ac", false),
  ])
  func patternsFit(_ pattern: String, _ path: String, _ fits: Bool) {
    #expect(FilePattern.fits(Array(pattern.utf8)[...], Array(path.utf8)[...]) == fits)
  }

  @Test func zonesHaveNames() {
    for name in ["UTC", "+01:00", "-0530", "+05", "Europe/Berlin"] { #expect(ZoneName.zone(name) != nil) }
    for name in ["", "+1", "+2500", "Middle/Earth"] { #expect(ZoneName.zone(name) == nil) }
  }

  @Test func containersAreNamedByTheirFiles() {
    let id = String(repeating: "a", count: 64)
    let file = ContainerFile("shop-7f_prod_web-app-\(id).log")
    #expect(file?.container == "web-app")
    #expect(file.map { String(decoding: $0.labels, as: UTF8.self) } == #""pod":"shop-7f","namespace":"prod""#)
    for name in ["app.log", "a_b_c.log", "a_b_c-12.log", "__-\(id).log"] {
      #expect(ContainerFile(name) == nil)
    }
  }

  @Test func recordsInOurColumnsAreKnown() {
    #expect(OwnRecords.are(Array("{\"message\":\"a\",\"metadata\":{}}\n".utf8)))
    #expect(!OwnRecords.are(Array("{\"message\":\"a\"}\n".utf8)))
    #expect(!OwnRecords.are(Array("{\"message\":\"a\",\"metadata\":{},\"msg\":1}\n".utf8)))
    #expect(!OwnRecords.are(Array("text\n".utf8)))
  }

  @Test func agesAreTimes() throws {
    #expect(try SinceText.time("2h", now: 7_200_000_000_000) == 0)
    #expect(try SinceText.time("1970-01-01T00:00:01Z", now: 0) == 1_000_000_000)
    #expect(throws: Failure.self) { _ = try SinceText.time("soon", now: 0) }
  }
}
