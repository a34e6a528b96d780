import Codecs
import Records
import Testing

struct ChecksumTests {
  @Test(
    arguments: [
      ("", 0), ("a", 0xC1D0_4330), ("123456789", 0xE306_9283),
      ("The quick brown fox jumps over the lazy dog", 0x2262_0404),
    ] as [(String, UInt32)])
  func crc32c(_ text: String, _ expected: UInt32) {
    #expect(CRC32C.checksum(Array(text.utf8)) == expected)
  }

  @Test func crc32cOfZerosAndContinued() {
    #expect(CRC32C.checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let whole = CRC32C.checksum(bytes)
    for cut in [0, 1, 7, 8, 31, 32, 33, 999, 1_000] {
      #expect(CRC32C.checksum(Array(bytes[cut...]), seed: CRC32C.checksum(Array(bytes[..<cut]))) == whole)
    }
    #expect(CRC32C.checksum(bytes) == slowCRC(bytes))
  }

  private func slowCRC(_ bytes: [UInt8]) -> UInt32 {
    var crc = ~UInt32(0)
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }
    return ~crc
  }

  // The published test vectors of XXH64.
  @Test(
    arguments: [
      ("", 0, 0xEF46_DB37_51D8_E999), ("a", 0, 0xD24E_C4F1_A98C_6E5B), ("abc", 0, 0x44BC_2CF5_AD77_0999),
      ("Nobody inspects the spammish repetition", 0, 0xFBCE_A83C_8A37_8BF1),
      ("xxhash", 20_141_025, 0xB559_B98D_844E_0635),
    ] as [(String, UInt64, UInt64)])
  func xxh64(_ text: String, _ seed: UInt64, _ expected: UInt64) {
    #expect(Hash64.xxh64(Array(text.utf8), seed: seed) == expected)
  }
}

struct VarintTests {
  @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, 1 << 35, UInt64.max - 1, UInt64.max])
  func roundTrip(_ value: UInt64) {
    var bytes: [UInt8] = []
    Varint.append(value, to: &bytes)
    #expect(bytes.count == Varint.byteCount(value))
    var at = 0
    #expect(Varint.read(bytes.span, at: &at) == value && at == bytes.count)
    for cut in 0..<bytes.count {
      var at = 0
      let part = Array(bytes[..<cut])
      #expect(Varint.read(part.span, at: &at) == nil && at == 0)
    }
    for signed in [Int64(bitPattern: value), Int64(truncatingIfNeeded: value / 2)] {
      var bytes: [UInt8] = []
      Varint.append(signed: signed, to: &bytes)
      var at = 0
      #expect(Varint.readSigned(bytes.span, at: &at) == signed)
    }
  }

  @Test func refusesMoreThan64Bits() {
    let bytes = [UInt8](repeating: 0x80, count: 9) + [2]
    var at = 0
    #expect(Varint.read(bytes.span, at: &at) == nil)
    let long = [UInt8](repeating: 0x80, count: 10) + [0]
    #expect(Varint.read(long.span, at: &at) == nil)
  }
}

struct IdentifierTests {
  @Test func hex() {
    #expect(Hex.text([0, 0x1F, 0xAB, 0xFF]) == "001fabff" && Hex.bytes("001FabfF") == [0, 0x1F, 0xAB, 0xFF])
    #expect(Hex.bytes("0") == nil && Hex.bytes("0g") == nil && Hex.bytes("é0") == nil)
  }

  @Test func versionSevenAndIncrements() throws {
    let id = UUIDv7.make(milliseconds: 0x0123_4567_89AB, random: (UInt64.max, UInt64.max))
    #expect(UUIDv7.text(id) == "01234567-89ab-7fff-9fff-ffffffffffff")
    #expect(UUIDv7.milliseconds(of: id) == 0x0123_4567_89AB)
    #expect(UUIDv7.text(UUIDv7.incremented(id, by: 1)) == "01234567-89ab-7fff-a000-000000000000")
    #expect(UUIDv7.parse(UUIDv7.text(id).uppercased()) == id)
    let column = UUIDv7.column(first: id, count: 3)
    column.withUUIDs { bytes in
      for row in 0..<3 {
        #expect((0..<16).map { bytes[row * 16 + $0] } == UUIDv7.incremented(id, by: row))
      }
    }
    #expect(UUIDv7.lowerBound(milliseconds: 0x0123_4567_89AB).lexicographicallyPrecedes(id))
  }

  @Test(arguments: [
    "", "01234567-89ab-7fff-9fff-fffffffffff", "01234567-89ab-7fff-9fff-ffffffffffff0",
    "0123456789ab-7fff-9fff-ffff-ffffffff", "01234567-89ab-7fff-9fff-fffffffffffg",
    "{1234567-89ab-7fff-9fff-ffffffffffff",
  ])
  func refusedUUIDs(_ text: String) { #expect(UUIDv7.parse(text) == nil) }
}

struct TimeTests {
  @Test(
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.000000001Z", 1),
      ("1969-12-31T23:59:59.999999999Z", -1),
      ("2000-02-29t12:34:56.5z", 951_827_696_500_000_000),
      ("2000-02-29 12:34:56+01:30", 951_822_296_000_000_000),
      ("2026-11-19T10:20:30.123456789Z", 1_795_083_630_123_456_789),
      ("2026-11-19T10:20:30.1234567899999999999999Z", 1_795_083_630_123_456_789),
      ("2026-11-19T00:00:00-23:59", 1_795_132_740_000_000_000),
      ("2016-12-31T23:59:60Z", 1_483_228_799_999_999_999),
      ("2017-01-01T05:29:60.25+05:30", 1_483_228_799_999_999_999),
      ("1677-09-21T00:12:43.145224192Z", Int64.min), ("2262-04-11T23:47:16.854775807Z", Int64.max),
      ("1677-09-21T01:12:43.145224192+01:00", Int64.min),
    ] as [(String, Int64)])
  func parses(_ text: String, _ expected: Int64) { #expect(RFC3339.parse(text) == expected) }

  @Test(arguments: [
    "", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01T00:00Z", "1970-13-01T00:00:00Z",
    "1970-00-01T00:00:00Z",
    "1970-01-00T00:00:00Z", "1970-01-32T00:00:00Z", "1970-04-31T00:00:00Z", "1970-06-31T00:00:00Z",
    "1970-09-31T00:00:00Z", "1970-11-31T00:00:00Z", "1970-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
    "2000-02-30T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:61Z",
    "1970-01-01T00:00:60Z", "1970-01-01T22:59:60Z", "1970-01-01T23:59:60+01:00",
    "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00.5", "1970-01-01T00:00:00,5Z",
    "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+00:60", "1970-01-01T00:00:00+0000",
    "1970-01-01T00:00:00+00",
    "1970-01-01T00:00:00ZZ", "1970-01-01_00:00:00Z", "1970/01/01T00:00:00Z", "197O-01-01T00:00:00Z",
    "1970-01-01T00:00:0:Z", "1970-01-01T0:00:000Z", " 1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z ",
    "-970-01-01T00:00:00Z", "1677-09-21T00:12:43.145224191Z", "2262-04-11T23:47:16.854775808Z",
    "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00.5é", "1970-01-01T00:00:00é",
  ])
  func refuses(_ text: String) { #expect(RFC3339.parse(text) == nil) }

  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00Z"), (1, "1970-01-01T00:00:00.000000001Z"),
      (1_000, "1970-01-01T00:00:00.000001Z"),
      (500_000_000, "1970-01-01T00:00:00.500Z"), (-1, "1969-12-31T23:59:59.999999999Z"),
      (Int64.min, "1677-09-21T00:12:43.145224192Z"), (Int64.max, "2262-04-11T23:47:16.854775807Z"),
      (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
    ] as [(Int64, String)])
  func formats(_ value: Int64, _ expected: String) { #expect(RFC3339.string(value) == expected) }

  @Test func everyDayRoundTrips() {
    // 1678-01-01 to 2262-01-01, each day at a different second.
    var day: Int64 = -106_650
    while day < 106_650 {
      let value = (day * 86_400 + (day * 7_919 % 86_400 + 86_400) % 86_400) * 1_000_000_000 + 120_000_000
      #expect(RFC3339.parse(RFC3339.string(value)) == value)
      day += 1
    }
  }
}

struct RepairTests {
  @Test(
    arguments: [
      ([0x61], "a"), ([0xFF], "\u{FFFD}"), ([0xC3, 0xA9], "é"), ([0xC3], "\u{FFFD}"),
      ([0xE2, 0x82, 0x41], "\u{FFFD}A"),
      ([0xF0, 0x9F, 0x98], "\u{FFFD}"), ([0xF0, 0x80, 0x80, 0x41], "\u{FFFD}\u{FFFD}\u{FFFD}A"),
      ([0xED, 0xA0, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}"), ([0xC0, 0xAF], "\u{FFFD}\u{FFFD}"),
      ([0xF4, 0x90, 0x80, 0x80], "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
      (
        [0xE1, 0x80, 0xE2, 0xF0, 0x91, 0x92, 0xF1, 0xBF, 0x41],
        "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}A"
      ),
    ] as [([UInt8], String)])
  func maximalSubparts(_ bytes: [UInt8], _ expected: String) {
    var output: [UInt8] = []
    UTF8Repair.append(bytes.span, to: &output)
    #expect(output == Array(expected.utf8))
  }

  /// Swift's own repair follows the same rule.
  @Test func agreesWithTheStandardLibrary() {
    var state: UInt64 = 42
    for _ in 0..<20_000 {
      var bytes: [UInt8] = []
      for _ in 0..<12 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let pick = state >> 33
        bytes.append(
          [0x41, 0x80, 0xBF, 0xC3, 0xE0, 0xE2, 0xED, 0xF0, 0xF4, 0xFF, 0x9F, 0xA0][Int(pick % 12)])
      }
      var output: [UInt8] = []
      let changed = UTF8Repair.append(bytes.span, to: &output)
      let expected = Array(String(decoding: bytes, as: UTF8.self).utf8)
      #expect(output == expected, "\(bytes)")
      #expect(changed == (expected != bytes) && UTF8Repair.isValid(bytes.span) == !changed)
    }
  }
}

struct Base64URLTests {
  @Test func bytesComeBack() {
    for count in 0..<70 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
      #expect(Base64URL.bytes(Base64URL.text(bytes)) == bytes)
    }
    #expect(Base64URL.text([0xFB, 0xFF, 0xBF]) == "-_-_")
  }

  @Test func onlyTheOneSpellingIsTaken() {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. \n\u{0}é")
    for first in alphabet {
      #expect(Base64URL.bytes(String(first)) == nil)
      for second in alphabet {
        for text in [
          String([first, second]), "AAAA" + String([first, second]), "AA" + String([first, second]),
        ] {
          if let bytes = Base64URL.bytes(text) { #expect(Base64URL.text(bytes) == text) }
        }
      }
    }
    for text in ["AAAAA", "AAAAAAAAA", "AB", "AAB", "AA==", "AA=", "AA A"] {
      #expect(Base64URL.bytes(text) == nil, "\(text)")
    }
  }
}
