import Codecs
import Records
import Testing

struct NumberTests {
  func classify(_ text: String) -> JSONNumberValue { JSONNumber.classify(Array(text.utf8).span) }

  @Test(
    arguments: [
      ("0", .int64(0)), ("-1", .int64(-1)), ("1200", .int64(1200)), ("9223372036854775807", .int64(.max)),
      ("-9223372036854775808", .int64(.min)), ("9223372036854775808", .other),
      ("-9223372036854775809", .other),
      ("1000000000000000000", .int64(1_000_000_000_000_000_000)), ("10000000000000000000", .other),
      ("100000000000000000000000000", .other), ("-0", .other), ("0.0", .float64(0)), ("-0.0", .float64(-0.0)),
      ("1.0", .float64(1)), ("1e2", .float64(100)), ("1E-2", .float64(0.01)), ("0.1", .float64(0.1)),
      ("0.30000000000000004", .float64(0.1 + 0.2)), ("0.1000000000000000055", .other),
      ("0.10000000000000001", .other), ("1.7976931348623157e308", .float64(.greatestFiniteMagnitude)),
      ("1e309", .other), ("5e-324", .float64(.leastNonzeroMagnitude)), ("4.9e-324", .other),
      ("4e-324", .other), ("1e-400", .other),
      ("2.2250738585072014e-308", .float64(2.2250738585072014e-308)),
      ("0e999999999999999999999", .float64(0)),
      ("1e999999999999999999999", .other), ("123456789012345.6", .float64(123456789012345.6)),
      ("9007199254740993.0", .other), ("9007199254740992.0", .float64(9007199254740992)),
      ("0.000000000000000000000000000001", .float64(1e-30)), ("12345678901234567890123.5", .other),
      ("", .other), ("-", .other), ("1.", .other), (".5", .other), ("01", .other), ("1e", .other),
      ("1x", .other),
      ("nan", .other), ("+1", .other),
    ] as [(String, JSONNumberValue)])
  func classes(_ text: String, _ expected: JSONNumberValue) {
    #expect(classify(text) == expected, "\(text)")
    if case .float64(let a) = classify(text), case .float64(let b) = expected { #expect(a.sign == b.sign) }
  }

  @Test func writtenDoublesReadBackTheSame() {
    var state: UInt64 = 7
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 29
    }
    var writer = JSONWriter()
    for round in 0..<50_000 {
      let value =
        round % 2 == 0
        ? Double(bitPattern: next())
        : Double(Int64(bitPattern: next()) >> Int64(next() % 40 + 10))
          / [1, 10, 100, 1000, 8][Int(next() >> 40) % 5]
      guard value.isFinite else { continue }
      writer.appendFloat64(value)
      let text = writer.takeBytes()
      #expect(text == Array(value.description.utf8) || Double(String(decoding: text, as: UTF8.self)) == value)
      #expect(JSONNumber.classify(text.span) == .float64(value), "\(value)")
      #expect(JSONNumber.double(text.span) == value)
    }
  }

  @Test(
    arguments: [
      (0.0, "0.0"), (-0.0, "-0.0"), (1.0, "1.0"), (-1.5, "-1.5"), (12.345, "12.345"), (0.001, "0.001"),
      (1e15, "1000000000000000.0"),
      (999.0, "999.0"), (0.05, "0.05"), (100.25, "100.25"), (.infinity, "null"), (.nan, "null"),
      (1e300, "1e+300"),
    ] as [(Double, String)])
  func floats(_ value: Double, _ expected: String) {
    var writer = JSONWriter()
    writer.appendFloat64(value)
    let text = String(decoding: writer.takeBytes(), as: UTF8.self)
    #expect(text == expected)
  }

  @Test(arguments: [
    0, 9, 10, 99, 100, -1, -10, 1_000_000_000_000_000_000, 999_999_999_999_999_999, Int64.max, Int64.min,
  ])
  func integers(_ value: Int64) {
    var writer = JSONWriter()
    writer.appendInt64(value)
    #expect(String(decoding: writer.takeBytes(), as: UTF8.self) == "\(value)")
  }
}

struct WriterTests {
  @Test func escapes() {
    var writer = JSONWriter()
    writer.appendString("a\"b\\c\n\r\t\u{8}\u{c}\u{1}\u{7f}é/")
    writer.append(UInt8(ascii: ","))
    writer.appendString("")
    writer.appendBool(true)
    writer.appendNull()
    writer.appendTimestamp(0)
    writer.appendUUID([UInt8](repeating: 0xAB, count: 16).span)
    let expected =
      #""a\"b\\c\n\r\t\b\f\u0001\#u{7f}é/",""truenull"1970-01-01T00:00:00Z""abababab-abab-abab-abab-abababababab""#
    #expect(String(decoding: writer.takeBytes(), as: UTF8.self) == expected)
    #expect(writer.byteCount == 0)
  }

  @Test func commasStandBetweenMembersAndElements() {
    var writer = JSONWriter()
    for _ in 0..<2 {
      writer.beginObject()
      writer.member("a", 1)
      writer.member("b", nil)
      writer.name(text: "\"c\n")
      writer.beginArray()
      writer.value("x")
      writer.value(true)
      writer.beginObject()
      writer.endObject()
      writer.raw(Array("[2]".utf8))
      writer.members([])
      writer.members(Array("3,4".utf8))
      writer.endArray()
      writer.name("d")
      writer.array(of: [])
      writer.time("e", 0, zone: "Z")
      writer.name("f")
      writer.list([5, 6]) { $0.member("g", $1) }
      writer.endObject()
      let expected =
        #"{"a":1,"b":null,"\"c\n":["x",true,{},[2],3,4],"d":[],"e":"1970-01-01T00:00:00Z","#
        + #""f":[{"g":5},{"g":6}]}"#
      #expect(String(decoding: writer.takeBytes(), as: UTF8.self) == expected)
    }
  }

  @Test(
    arguments: [
      (0, "0.0"), (99.5, "99.5"), (33.333, "33.33"), (-0.055, "-0.06"), (7.05, "7.05"),
      (1e15, "1000000000000000.0"),
      (.nan, "null"), (-.infinity, "null"),
    ] as [(Double, String)])
  func roundedNumbers(_ number: Double, _ expected: String) {
    var writer = JSONWriter()
    writer.value(rounded: number)
    #expect(String(decoding: writer.takeBytes(), as: UTF8.self) == expected)
  }

  @Test func growsAndKeepsWhatIsThere() {
    var writer = JSONWriter(capacity: 1)
    var expected = ""
    for index in 0..<2_000 {
      let text = String(repeating: "x\n", count: index % 50)
      writer.appendString(text)
      expected += "\"" + text.replacing("\n", with: "\\n") + "\""
    }
    #expect(String(decoding: writer.takeBytes(), as: UTF8.self) == expected)
  }
}

struct ScannerTests {
  let text = Array(#"{"a":1,"b\n":"x\"y","c":{"d":[1,{"e":null}],"f":"é"},"g":[]}"#.utf8)

  @Test func walksMembers() {
    var members = JSONMembers(text.span)
    var found: [String] = []
    while members.next(text.span) {
      found.append(
        members.keyText(text.span) + "=" + String(decoding: text[members.value], as: UTF8.self)
          + " \(members.kind)")
    }
    #expect(
      found == [
        "a=1 number", "b\n=\"x\\\"y\" string", #"c={"d":[1,{"e":null}],"f":"é"} object"#, "g=[] array",
      ])
  }

  @Test func findsByPath() {
    func get(_ path: String...) -> String? {
      JSONScanner.member(text.span, path: path.map { Array($0.utf8) }).map {
        String(decoding: text[$0.value], as: UTF8.self)
      }
    }
    #expect(get("a") == "1" && get("c", "f") == "\"é\"" && get("b\n") == #""x\"y""#)
    #expect(get("c", "x") == nil && get("a", "x") == nil && get("g", "x") == nil && get("b") == nil)
    #expect(
      JSONScanner.string(text.span, JSONScanner.member(text.span, path: [Array("b\n".utf8)])!.value) == "x\"y"
    )
  }

  @Test func walksElements() {
    let array = Array(#"[1,"a,]",[2,3],{"x":[]},null]"#.utf8)
    var elements = JSONElements(array.span)
    var found: [String] = []
    while elements.next(array.span) { found.append(String(decoding: array[elements.value], as: UTF8.self)) }
    #expect(found == ["1", #""a,]""#, "[2,3]", #"{"x":[]}"#, "null"])
  }

  /// On text that is no JSON nothing traps and every walk ends.
  @Test func endsOnAnything() {
    var state: UInt64 = 99
    let alphabet = Array(#"{}[]":,\u01 aetrfn-é"#.utf8)
    for _ in 0..<20_000 {
      let bytes = (0..<20).map { _ -> UInt8 in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return alphabet[Int(state >> 33) % alphabet.count]
      }
      var steps = 0
      var members = JSONMembers(bytes.span)
      while members.next(bytes.span), steps < 100 {
        _ = members.keyText(bytes.span)
        steps += 1
      }
      var elements = JSONElements(bytes.span)
      while elements.next(bytes.span), steps < 100 { steps += 1 }
      #expect(steps < 100, "\(bytes)")
      _ = JSONScanner.member(bytes.span, path: [[0x61], [0x62]])
      _ = JSONScanner.string(bytes.span, 0..<20)
    }
  }
}
