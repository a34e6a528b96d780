import Decoding
import Records
import Testing

struct RejectTests {
  @Test(
    arguments: [
      ("", .empty, 0), ("  \n ", .empty, 4), ("[]", .empty, 0), ("[ ]", .empty, 0),
      ("\"x\"", .notAnObject, 0), ("nope", .notAnObject, 0), ("@", .syntax(.record), 0),
      ("[1]", .notAnObject, 1), ("[{\"message\":\"m\"},", .truncated, 17),
      ("[{\"message\":\"m\"}", .truncated, 16), ("[{\"message\":\"m\"};", .syntax(.commaOrBracket), 16),
      ("[{\"message\":\"m\"}] x", .trailingContent, 18), ("[", .truncated, 1), ("{", .truncated, 1),
      (#"{"message":"m"} {"#, .syntax(.lineEnd), 16), (#"{"message":"m"}x"#, .syntax(.lineEnd), 15),
      (#"{"message":"m",}"#, .syntax(.key), 15), (#"{message:"m"}"#, .syntax(.key), 1),
      (#"{"message" "m"}"#, .syntax(.colon), 11), (#"{"message":}"#, .syntax(.value), 11),
      (#"{"message":"m""#, .truncated, 14), (#"{"message":"m"#, .truncated, 13),
      (#"{"message":"m" "a":1}"#, .syntax(.commaOrBrace), 15),
      (#"{"message":"m","a":[1 2]}"#, .syntax(.commaOrBracket), 22),
      (#"{"message":"m","a":[1,]}"#, .syntax(.value), 22),
      (#"{"message":"m","a":{"b":1,}}"#, .syntax(.key), 26),
      (#"{"message":"m","a":nul}"#, .syntax(.value), 19),
      (#"{"message":"m","a":TRUE}"#, .syntax(.value), 19),
      (#"{"message":"m","a":NaN}"#, .syntax(.value), 19),
      (#"{"message":"m","a":-}"#, .badNumber, 19), (#"{"message":"m","a":1.}"#, .badNumber, 19),
      (#"{"message":"m","a":1e}"#, .badNumber, 19), (#"{"message":"m","a":+1}"#, .syntax(.value), 19),
      (#"{"message":"m","a":01}"#, .syntax(.commaOrBrace), 20),
      (#"{"message":"m","a":.5}"#, .syntax(.value), 19),
      (#"{"message":"\x"}"#, .badEscape, 12), (#"{"message":"\u12g4"}"#, .badEscape, 12),
      (#"{"message":"\ud800"}"#, .loneSurrogate, 12), (#"{"message":"\ud800\u0041"}"#, .loneSurrogate, 12),
      (#"{"message":"\udc00"}"#, .loneSurrogate, 12), (#"{"message":"a\u0000"}"#, .nulCharacter, 13),
      (#"{"message":"m","a\u0000":1}"#, .nulCharacter, 17),
      (#"{"message":"m","a":{"b":["\u0000"]}}"#, .nulCharacter, 26),
      ("{\"message\":\"a\tb\"}", .controlCharacter, 13), ("{\"message\":\"a\u{0}b\"}", .nulCharacter, 13),
      ("{\"message\":\"a\nb\"}", .controlCharacter, 13),
    ] as [(String, DecodingReason, Int)])
  func syntax(_ text: String, _ reason: DecodingReason, _ byte: Int) {
    let error = refusal(text)
    #expect(error?.reason == reason && error?.byte == byte, "\(String(describing: error)) for \(text)")
  }

  @Test(
    arguments: [
      (#"{"message":7}"#, "message", .wrongType(expected: "a string")),
      (#"{"message":null}"#, "message", .missing), ("{}", "message", .missing),
      (#"{"message":"m","level":{"a":1}}"#, "level", .wrongType(expected: "a string")),
      (#"{"message":"m","metadata":[]}"#, "metadata", .wrongType(expected: "an object")),
      (#"{"message":"m","labels":"x"}"#, "labels", .wrongType(expected: "an object")),
      (#"{"message":"m","timestamp":"yesterday"}"#, "timestamp", .badTimestamp),
      (#"{"message":"m","timestamp":"1500-01-01T00:00:00Z"}"#, "timestamp", .badTimestamp),
      (#"{"message":"m","timestamp":9223372037}"#, "timestamp", .numberOutOfRange),
      (#"{"message":"m","timestamp":9223372036854775808}"#, "timestamp", .numberOutOfRange),
      (#"{"message":"m","position":1}"#, "position", .reserved),
      (#"{"message":"a","message":"b"}"#, "message", .repeatedName),
      (#"{"message":7,"message":"b"}"#, "message", .repeatedName),
      (#"{"message":"a","m\u0065ssage":"x"}"#, "message", .repeatedName),
      (#"{"message":"m","metadata":{"q":1},"metadata":{"r":1}}"#, "metadata", .repeatedName),
      (#"{"message":"m","x":1,"y":2,"x":3}"#, "x", .repeatedName),
      (#"{"message":"m","metadata":{"x":{"a":1,"\u0061":{}}}}"#, "a", .repeatedName),
      (#"{"message":"m","a":1,"metadata":{"a":2,"c":3},"b":4}"#, "a", .repeatedName),
      (#"{"message":"m","a":1,"labels":{"a":2},"b":{"c":1,"c":2}}"#, "c", .repeatedName),
      (#"{"message":"m","id":null}"#, "id", .reserved),
      (#"{"message":"m","ingested\u005fat":1}"#, #"ingested\u005fat"#, .reserved),
    ] as [(String, String, DecodingReason)])
  func fields(_ text: String, _ field: String, _ reason: DecodingReason) {
    let error = refusal(text)
    #expect(error?.reason == reason && error?.field == field, "\(String(describing: error)) for \(text)")
    #expect(error?.entry == 0)
  }

  @Test func unknownFieldWithoutOverflow() {
    let error = refusal(#"{"user_id":"u","query":"q","extra":1}"#, decoder(.queries))
    #expect(error?.reason == .unknownField && error?.field == "extra")
    let number = refusal(#"{"execution_time_seconds":1e999}"#, decoder(.workflows))
    #expect(number?.reason == .numberOutOfRange && number?.field == "execution_time_seconds")
  }

  @Test(
    arguments: [
      [0xFF], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x9F, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x8F, 0x80, 0x80],
      [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0x80],
    ] as [[UInt8]])
  func invalidUTF8(_ bytes: [UInt8]) {
    for (before, after) in [
      (#"{"message":"ab"#, #""}"#), (#"{"message":"m","é"#, #"":1}"#),
      (#"[{"message":"m","a":["é"#, #""]}]"#),
    ] {
      let error = refusal(Array(before.utf8) + bytes + Array(after.utf8))
      #expect(error?.reason == .invalidUTF8 && error?.byte == before.utf8.count && error?.entry == 0)
    }
  }

  @Test func errorsQuoteNoValues() {
    let error = refusal(#"{"message":"m","level":7,"timestamp":"hunter2"}"#)
    #expect(
      error?.message
        == #"entry 0, byte 37, field "timestamp": not an RFC 3339 time between 1677-09-21 and 2262-04-11"#
        || error?.message == #"entry 0, byte 23, field "level": expected a string"#)
    #expect(error?.message.contains("hunter2") == false)
  }

  @Test func limits() throws {
    func nest(_ depth: Int) -> String {
      #"{"message":"m","a":"# + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        + "}"
    }
    #expect(refusal(nest(63)) == nil)
    #expect(refusal(nest(64))?.reason == .nestedTooDeeply(depthMax: 64))
    #expect(refusal(nest(100_000))?.reason == .nestedTooDeeply(depthMax: 64))
    let open = #"{"message":"m","a":"# + String(repeating: "[{\"a\":", count: 100_000)
    #expect(refusal(open)?.reason == .nestedTooDeeply(depthMax: 64))

    let three = decoder { $0.membersMax = 3 }
    #expect(refusal(#"{"message":"m","a":1,"b":2}"#, three) == nil)
    #expect(refusal(#"{"message":"m","a":1,"b":2,"c":3}"#, three)?.reason == .tooManyMembers(membersMax: 3))
    #expect(refusal(#"{"message":"m","a":{"a":1,"b":2,"c":3}}"#, three) == nil)
    #expect(
      refusal(#"{"message":"m","a":{"a":1,"b":2,"c":3,"d":4}}"#, three)?.reason
        == .tooManyMembers(membersMax: 3))

    let key = decoder { $0.keyBytesMax = 8 }
    #expect(refusal(#"{"message":"m","12345678":1,"a":{"12345678":1}}"#, key) == nil)
    #expect(refusal(#"{"message":"m","123456789":1}"#, key)?.reason == .keyTooLong(bytesMax: 8))
    #expect(refusal(#"{"message":"m","a":{"123456789":1}}"#, key)?.reason == .keyTooLong(bytesMax: 8))

    let entry = decoder { $0.entryBytesMax = 20 }
    #expect(refusal(#"{"message":"123456"}"#, entry) == nil)
    #expect(refusal(#"{"message":"1234567"}"#, entry)?.reason == .entryTooLarge(bytesMax: 20))

    let two = decoder { $0.entriesMax = 2 }
    #expect(refusal("{\"message\":\"a\"}\n{\"message\":\"a\"}\n", two) == nil)
    #expect(
      refusal("{\"message\":\"a\"}\n{\"message\":\"a\"}\n{", two)?.reason == .tooManyEntries(entriesMax: 2))
    #expect(
      refusal(#"[{"message":"a"},{"message":"a"},{}]"#, two)?.reason == .tooManyEntries(entriesMax: 2))
  }

  @Test func formats() {
    #expect(refusal("[{\"message\":\"m\"}]", format: .lines)?.reason == .notAnObject)
    #expect(refusal("{\"message\":\"m\"}\n{\"message\":\"m\"}", format: .json)?.reason == .trailingContent)
    #expect(refusal("7", format: .json)?.reason == .expectedArrayOrObject)
    #expect(refusal([0xFF, 0xFE, 0x7B, 0x00])?.reason == .notUTF8Encoding)
  }
}

struct SkipTests {
  func skip(_ text: String, max: Int = 10, _ decoder: RecordDecoder = decoder()) throws -> DecodedBody {
    try decoder.decode(Array(text.utf8), onError: .skip(errorsMax: max), now: now)
  }

  @Test func badLinesAreLeftOut() throws {
    let body = try skip(
      """
      {"message":"a"}
      {"message":"broken
      {"message":"b","x":[1}
      not json
      {"message":7}
      {"message":"c"}{"message":"d"}
      {"message":"e","x":"\\u0000"}
      {"message":"f"
      {"message":"g"}
      """)
    #expect(rows(body).map { $0["message"] } == ["a", "g"])
    #expect(body.acceptedCount == 2 && body.rejectedCount == 7)
    #expect(body.errors.map(\.entry) == [1, 2, 3, 4, 5, 6, 7])
  }

  @Test func listIsBounded() throws {
    let body = try skip(String(repeating: "{}\n", count: 100), max: 3)
    #expect(body.batch == nil && body.rejectedCount == 100 && body.errors.count == 3)
  }

  @Test func arraysGoOnBehindFaultsWhoseEndIsKnown() throws {
    let deep = String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
    let body = try skip(
      #"[{"message":"a"},7,"x",[1,[2]],{"message":1},{"message":"\ud800"},{"message":"m","x":\#(deep)},{"message":"b"}]"#
    )
    #expect(rows(body).map { $0["message"] } == ["a", "b"])
    #expect(body.errors.map(\.entry) == [1, 2, 3, 4, 5, 6])
  }

  @Test func brokenArraysFailTheRest() throws {
    let body = try skip(#"[{"message":"a"},{"message":"b" "x"},{"message":"c"}]"#)
    #expect(rows(body).map { $0["message"] } == ["a"])
    #expect(body.errors.map(\.reason) == [.syntax(.commaOrBrace)])
  }

  @Test func aRefusedRowLeavesNoTrace() throws {
    // Level and service are appended before message turns out to be missing.
    let text =
      #"{"level":"X","message":"a"}"# + "\n" + #"{"level":null,"message":null,"service":"gone"}"# + "\n"
      + #"{"level":"Y","message":"b","env":"e"}"#
    let body = try skip(text)
    #expect(rows(body).map { $0["level"] } == ["X", "Y"])
    #expect(rows(body).map { $0["service"] } == [nil, nil])
  }
}
