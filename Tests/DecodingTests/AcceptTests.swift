import Decoding
import Masking
import Records
import Testing

struct AcceptTests {
  @Test func declaredColumnsAndOverflow() throws {
    let text = """
      {"timestamp":"1970-01-01T00:00:01.5Z","level":"INFO","message":"hi","host":"h1","n":1.0,"s":200}
      {"message":"second","labels":{"a":"b"},"timestamp":7.5}
      """
    let found = try decode(text)
    #expect(
      found == [
        [
          "timestamp": "1500000000", "level": "INFO", "message": "hi",
          "metadata": #"{"host":"h1","n":1.0,"s":200}"#,
        ],
        ["timestamp": "7500000000", "message": "second", "labels": #"{"a":"b"}"#],
      ])
  }

  @Test(arguments: [
    // Framing.
    (#"[{"message":"a"},{"message":"b"}]"#, ["a", "b"]),
    (#" [ {"message":"a"} , {"message":"b"} ] "#, ["a", "b"]),
    ("{\"message\":\"a\"}\r\n\r\n \n{\"message\":\"b\"}\r\n", ["a", "b"]),
    ("{\n  \"message\" :\n  \"a\"\n}\n", ["a"]),
    ("\u{FEFF}{\"message\":\"a\"}", ["a"]),
    // Strings.
    (#"{"message":""}"#, [""]),
    (#"{"message":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00"}"#, ["\"\\/\u{8}\u{c}\n\r\tAé€😀"]),
    (
      #"{"message":"h\u00e9 und noch viel mehr Text, damit es länger als 32 Bytes wird\n"}"#,
      ["hé und noch viel mehr Text, damit es länger als 32 Bytes wird\n"]
    ),
    ("{\"message\":\"日本語 ümläut 😀 \u{7f}\"}", ["日本語 ümläut 😀 \u{7f}"]),
    (#"{"m\u0065ssage":"x"}"#, ["x"]),
  ])
  func messages(_ text: String, _ expected: [String]) throws {
    #expect(try decode(text).map { $0["message"] } == expected.map { Optional($0) })
  }

  @Test(arguments: [
    (#"{"message":"m","metadata":{}}"#, "{}"),
    (
      #"{"message":"m","metadata":{ "a" : [ 1 , 2.50 , -0 , 1e5 , true , null , { } , [ ] ] }}"#,
      #"{"a":[1,2.50,-0,1e5,true,null,{},[]]}"#
    ),
    (#"{"message":"m","metadata":{"a\/b\u000a":"\u001f\u00e9"}}"#, #"{"a/b\n":"\u001fé"}"#),
    (#"{"message":"m","x":{"y":[1, 2]}}"#, #"{"x":{"y":[1,2]}}"#),
    (#"{"message":"m","x":"a\/b","y" : 1}"#, #"{"x":"a/b","y":1}"#),
    // The object's own members stand behind those beside it.
    (#"{"message":"m","a":1,"metadata":{"c":3},"b":4}"#, #"{"a":1,"b":4,"c":3}"#),
    (#"{"message":"m","metadata":null,"b":4}"#, #"{"b":4}"#),
    (
      #"{"message":"m","n":123456789012345678901234567890,"e":-1.5E-400}"#,
      #"{"n":123456789012345678901234567890,"e":-1.5E-400}"#
    ),
    (#"{"message":"m","":0}"#, #"{"":0}"#),
  ])
  func objects(_ text: String, _ expected: String) throws {
    #expect(try decode(text).first?["metadata"] == expected)
  }

  @Test func manyKeysAreKept() throws {
    let keys = (0..<900).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
    #expect(try decode(#"{"message":"m","metadata":{\#(keys)}}"#).first?["metadata"] == "{\(keys)}")
    #expect(try decode(#"{"message":"m",\#(keys)}"#).first?["metadata"] == "{\(keys)}")
  }

  @Test func floatColumn() throws {
    let text =
      #"{"execution_time_seconds":1.25}"# + "\n" + #"{"execution_time_seconds":3}"# + "\n"
      + #"{"execution_time_seconds":null}"# + "\n" + #"{"execution_time_seconds":0.1234567890123456789}"#
    let found = try decode(text, decoder(.workflows)).map { $0["execution_time_seconds"] }
    #expect(found == ["1.25", "3.0", nil, "0.12345678901234568"])
  }

  /// A key is guessed from the record before; keys that nearly are the guess must not pass for it.
  @Test(arguments: [
    "Timestamp", "timestamq", "timestam", "timestampp", "dimestamp", "tIMESTAMP", "timestamp ",
    "\u{16}timestamp",
  ])
  func guessesAreExact(_ key: String) throws {
    let second = key.contains("\u{16}") ? "\\u0016timestamp" : key
    let text =
      #"{"timestamp":1,"message":"a","metadata":{}}"# + "\n"
      + #"{"\#(second)":2,"message":"b"}                   "#
    let found = try decode(text)
    #expect(found.last == ["timestamp": "\(now)", "message": "b", "metadata": #"{"\#(second)":2}"#])
  }

  @Test func missingTimeIsNow() throws {
    #expect(try decode(#"{"message":"m"}"#).first?["timestamp"] == "\(now)")
    #expect(try decode(#"{"message":"m","timestamp":null}"#).first?["timestamp"] == "\(now)")
  }

  /// Every prefix length around the block sizes of the scan, in both framings.
  @Test func lengthsAroundBlocks() throws {
    for length in 0..<100 {
      let text = String(repeating: "x", count: length)
      for body in [#"{"message":"\#(text)"}"#, #"[{"message":"\#(text)\n","k":"\#(text)"}]"#] {
        let found = try decode(body).first
        #expect(found?["message"]?.hasPrefix(text) == true)
      }
    }
  }

  @Test func manyRowsGrowEveryColumn() throws {
    let body = (0..<5_000).map {
      #"{"message":"message \#($0)","level":\#($0 % 3 == 0 ? "null" : "\"L\""),"n":\#($0)}"#
    }
    .joined(separator: "\n")
    let found = try decode(body)
    #expect(found.count == 5_000)
    for (index, row) in found.enumerated() {
      #expect(row["message"] == "message \(index)" && row["metadata"] == "{\"n\":\(index)}")
      #expect(row["level"] == (index % 3 == 0 ? nil : "L"))
    }
  }
}

struct MaskingTests {
  @Test func masksAtEveryDepthAndInColumns() throws {
    let text = #"""
      {"message":"secret0","Service":"x","password":"secret1","PassWord":{"k":"secret2"},"trace_id":"t","metadata":{"list":[{"pass\u0077ord":"secret3"}],"token":["secret4",5]}}
      """#
    let found = try decode(text, decoder(mask: ["PASSWORD", "token", "trace_id", "message"]))
    #expect(found.first?["message"] == "****" && found.first?["trace_id"] == "****")
    #expect(
      found.first?["metadata"]
        == #"{"Service":"x","password":"****","PassWord":"****","list":[{"password":"****"}],"token":"****"}"#
    )
    #expect(!found.description.contains("secret"))
  }

  @Test func otherTypesBecomeNull() throws {
    let found = try decode(
      #"{"execution_time_seconds":3.5,"payload":{"a":1},"status":null}"#,
      decoder(.workflows, mask: ["execution_time_seconds", "payload", "status"]))
    #expect(found.first?.keys.sorted() == ["timestamp"])
  }

  @Test func timeIsNeverMasked() throws {
    let found = try decode(
      #"{"message":"m","timestamp":"2026-01-01T00:00:00Z","metadata":{"timestamp":"secret"}}"#,
      decoder(mask: ["Time"]))
    #expect(found.first?["timestamp"] == "1767225600000000000")
    #expect(found.first?["metadata"] == #"{"timestamp":"****"}"#)
  }
}
