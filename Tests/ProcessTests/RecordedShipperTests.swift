import Foundation
import Testing

extension ProcessSuite {
  /// Requests as shippers write them that no test can install: what each looks at in the answer is there, and
  /// all records are.
  @Suite struct RecordedShipperTests {
    /// A request, and what its sender takes for success.
    struct Exchange: Sendable, CustomTestStringConvertible {
      let sender: String
      let target: String
      var headers: [String: String] = [:]
      var body: [UInt8] = []
      var method = "POST"
      let status: Int
      /// What the sender looks for in the answer.
      var needs: [String] = []
      /// `service|level|message` of each record.
      var records: [String] = []

      var testDescription: String { "\(sender): \(method) \(target)" }
    }

    // MARK: Loki

    private static func varint(_ value: Int) -> [UInt8] {
      var (rest, bytes) = (value, [UInt8]())
      while rest >= 0x80 {
        bytes.append(UInt8(rest & 0x7F | 0x80))
        rest >>= 7
      }
      return bytes + [UInt8(rest)]
    }

    private static func field(_ number: Int, _ bytes: [UInt8]) -> [UInt8] {
      varint(number << 3 | 2) + varint(bytes.count) + bytes
    }

    /// A block of snappy that holds the bytes as they are.
    private static func snappy(_ bytes: [UInt8]) -> [UInt8] {
      var out = varint(bytes.count)
      for start in stride(from: 0, to: bytes.count, by: 60) {
        let part = bytes[start..<min(start + 60, bytes.count)]
        out += [UInt8(part.count - 1) << 2] + part
      }
      return out
    }

    /// `PushRequest` of one stream with one entry at noon on 2025-11-30.
    private static func push(_ labels: String, _ line: String, metadata: [(String, String)] = []) -> [UInt8] {
      let time = [UInt8(0x08)] + varint(1_764_504_000) + [0x10] + varint(250_000_000)
      var entry = field(1, time) + field(2, Array(line.utf8))
      for (name, value) in metadata {
        entry += field(3, field(1, Array(name.utf8)) + field(2, Array(value.utf8)))
      }
      return snappy(field(1, field(1, Array(labels.utf8)) + field(2, entry)))
    }

    private static let loki = [
      Exchange(
        sender: "Promtail", target: "/loki/api/v1/push",
        headers: [
          "Content-Type": "application/x-protobuf", "User-Agent": "promtail/3.5.0",
          "X-Scope-OrgID": "default",
        ], body: push(#"{filename="/var/log/a.log", job="shop", level="warn"}"#, "of promtail"), status: 204,
        records: ["shop|WARN|of promtail"]),
      Exchange(
        sender: "Alloy", target: "/loki/api/v1/push",
        headers: ["Content-Type": "application/x-protobuf", "User-Agent": "Alloy/v1.11.0 (linux; docker)"],
        body: push(
          #"{service_name="cart", detected_level="error"}"#, "of alloy", metadata: [("trace_id", "ab")]),
        status: 204, records: ["cart|ERROR|of alloy"]),
      Exchange(
        sender: "Vector", target: "/loki/api/v1/push",
        headers: [
          "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
          "User-Agent": "Vector/0.50.0",
        ], body: push(#"{service="pay"}"#, "of vector"), status: 204, records: ["pay||of vector"]),
      Exchange(
        sender: "Fluent Bit", target: "/loki/api/v1/push",
        headers: ["Content-Type": "application/json", "User-Agent": "Fluent-Bit"],
        body: Array(
          (#"{"streams":[{"stream":{"job":"fluent-bit","level":"info"},"values":[["1764504000250000000","#
            + #""of fluent bit"]]}]}"#).utf8), status: 204, records: ["fluent-bit|INFO|of fluent bit"]),
    ]

    // MARK: Elasticsearch

    private static let elastic = "/elasticsearch"

    private static let filebeat = [
      Exchange(
        sender: "Filebeat", target: elastic + "/", headers: ["User-Agent": "Elastic-Filebeat/8.19.0 (linux)"],
        method: "GET", status: 200,
        needs: [#""number":"8."#, #""build_flavor":"default""#, #""tagline":"You Know, for Search""#]),
      Exchange(
        sender: "Filebeat", target: elastic + "/_license", method: "GET", status: 200,
        needs: [#""status":"active""#]),
      Exchange(
        sender: "Filebeat", target: elastic + "/_ilm/policy/filebeat", method: "GET", status: 200),
      Exchange(
        sender: "Filebeat", target: elastic + "/_index_template/filebeat-8.19.0",
        headers: ["Content-Type": "application/json"], body: Array("{}".utf8), method: "PUT", status: 200,
        needs: [#""acknowledged":true"#]),
      Exchange(
        sender: "Filebeat",
        target: elastic
          + "/_bulk?filter_path=errors%2Citems.%2A.error%2Citems.%2A.status%2Citems.%2A.failure_store",
        headers: ["Content-Type": "application/json; charset=UTF-8", "X-Elastic-Product-Origin": "beats"],
        body: Array(
          (#"{"create":{"_index":"filebeat-8.19.0"}}"# + "\n"
            + #"{"@timestamp":"2025-11-30T12:00:00.250Z","message":"of filebeat","log":{"level":"error","#
            + #""file":{"path":"/a.log"}},"service":{"name":"web"},"host":{"name":"h"}}"# + "\n").utf8),
        status: 200, needs: [#""errors":false"#, #"{"create":{"status":201}}"#],
        records: ["web|ERROR|of filebeat"]),
    ]

    private static let others = [
      Exchange(
        sender: "Vector", target: elastic + "/_cluster/health", method: "GET", status: 200,
        needs: [#""status":"#]),
      Exchange(
        sender: "Vector", target: elastic + "/_bulk", headers: ["Content-Type": "application/x-ndjson"],
        body: Array(
          (#"{"create":{"_index":"vector-2025.11.30","_type":"_doc"}}"# + "\n"
            + #"{"host":"h","message":"of vector's bulk","service":"bulk","#
            + #""timestamp":"2025-11-30T12:00:00Z"}"# + "\n").utf8), status: 200, needs: [#""errors":false"#],
        records: ["bulk||of vector's bulk"]),
      Exchange(
        sender: "Fluent Bit", target: elastic + "/_bulk",
        headers: ["Content-Type": "application/x-ndjson", "User-Agent": "Fluent-Bit"],
        body: Array(
          (#"{"create":{"_index":"fluent-bit"}}"# + "\n"
            + #"{"@timestamp":"2025-11-30T12:00:00.250Z","log":"of fluent bit's bulk"}"# + "\n").utf8),
        status: 200, needs: [#""errors":false,"items":["#], records: ["||of fluent bit's bulk"]),
      Exchange(
        sender: "syslog-ng", target: elastic + "/_bulk", headers: ["Content-Type": "application/x-ndjson"],
        body: Array(
          (#"{"index":{"_type":"_doc","_index":"syslog"}}"# + "\n"
            + #"{"PRIORITY":"err","MESSAGE":"of syslog-ng","HOST":"h"}"# + "\n\n").utf8), status: 200,
        needs: [#""errors":false"#], records: ["|ERROR|of syslog-ng"]),
    ]

    @Test(arguments: [loki, filebeat, others]) func shippersAreAnswered(_ exchanges: [Exchange]) throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      for exchange in exchanges {
        let answer = try HTTPConnection(port: server.port).request(
          exchange.method, exchange.target, headers: exchange.headers, body: exchange.body)
        #expect(answer.status == exchange.status, "\(exchange.testDescription): \(answer.text)")
        for need in exchange.needs {
          #expect(answer.text.contains(need), "\(exchange.testDescription): \(answer.text)")
        }
        if exchange.target.hasPrefix(RecordedShipperTests.elastic) {
          #expect(answer.headers["x-elastic-product"] == "Elasticsearch", "\(exchange.testDescription)")
        }
      }
      let rows = try server.query([
        "dataset": "logs", "columns": ["service", "level", "message"], "order": "asc", "limit": 99,
      ])
      let found = rows.map { row in
        ["service", "level", "message"].map { row[$0] as? String ?? "" }.joined(separator: "|")
      }
      #expect(Set(found) == Set(exchanges.flatMap(\.records)) && found.count == Set(found).count, "\(found)")
      #expect(server.stop() == 0)
    }
  }
}
