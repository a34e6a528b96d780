import Codecs
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// Objects that name what they hold, as scans read them and as trees are.
struct NamedPairTests {
  @Test(arguments: [
    (
      #"{"name":"Authorization","value":"Basic dXNlcjpwYXNz"}"#,
      #"{"name":"Authorization","value":"Basi****"}"#
    ),
    (#"{"value":"hunter2","name":"password"}"#, #"{"value":"****","name":"password"}"#),
    (
      #"{"a":1,"value":"hunter2","b":[2],"name":"password","c":{"d":"e"}}"#,
      #"{"a":1,"value":"****","b":[2],"name":"password","c":{"d":"e"}}"#
    ),
    (#"{"val":1,"value":"hunter2","name":"pin"}"#, #"{"val":"****","value":"****","name":"pin"}"#),
    (#"{"name":"password","value":{"x":["hunter2"]}}"#, #"{"name":"password","value":"****"}"#),
    (
      #"{"h":[{"k":"Cookie","v":"a=b"},{"k":"Accept","v":"x"}]}"#,
      #"{"h":[{"k":"Cookie","v":"****"},{"k":"Accept","v":"x"}]}"#
    ),
    (#"{"n\u0061me":"pass\u0077ord","v\u0061lue":"hunter2"}"#, #"{"name":"password","value":"****"}"#),
    (#"{"value":"bob@example.com","name":"password"}"#, #"{"value":"****","name":"password"}"#),
    (#"{"name":"colour","value":"red"}"#, #"{"name":"colour","value":"red"}"#),
    (#"{"name":7,"value":"red"}"#, #"{"name":7,"value":"red"}"#),
    (#"{"name":"ｐａｓｓｗｏｒｄ","value":"x"}"#, #"{"name":"ｐａｓｓｗｏｒｄ","value":"****"}"#),
  ])
  func theValueIsHiddenAsItsName(_ sample: String, _ expected: String) throws {
    let plan = MaskingPlan(MaskingRules(), for: Dataset.logs.schema)
    let wrapped = #"{"metadata":\#(sample)}"#
    #expect(try plan.apply(toJSON: Array(wrapped.utf8)).text == #"{"metadata":\#(expected)}"#)
    let body =
      #"{"entries":[{"timestamp":"2025-09-24T12:00:00Z","level":"INFO","message":"m","service":"a","#
      + #""env":"prod","metadata":\#(sample)}]}"#
    let batch = try #require(IngestDecoder().scan(Array(body.utf8), masking: plan))
    #expect(Ingest.rows(batch).first?["metadata"] == expected)
  }

  /// A body full of values that wait for their names takes no longer than others.
  @Test func valuesThatWaitAreHiddenInTime() throws {
    let plan = MaskingPlan(MaskingRules(), for: Dataset.logs.schema)
    var inner = "1"
    for _ in 0..<20 { inner = #"{"value":"x","o":\#(inner),"val":2,"name":"password"}"# }
    let wrapped = "[" + (0..<200).map { _ in inner }.joined(separator: ",") + "]"
    let report = try plan.apply(toJSON: Array(wrapped.utf8))
    #expect(report.isOverBound)
  }
}
