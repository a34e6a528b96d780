import Codecs
import Foundation
import Testing

extension ProcessSuite {
  /// pyarrow and DuckDB read the blocks in place while the server runs, and agree with it.
  @Suite struct ForeignReaderTests {
    static let script = """
      import json, sys, pyarrow as pa, pyarrow.parquet as pq, pyarrow.dataset as ds, duckdb
      folder = sys.argv[1]
      files = [line for line in sys.argv[2].split(",") if line]
      tables = [pq.read_table(f, page_checksum_verification=True) for f in files]
      table = pa.concat_tables(tables, promote_options="permissive")
      glob = "[" + ",".join("'" + f + "'" for f in files) + "]"
      sql = duckdb.sql(f"select count(*), sum(\\"metadata.n:int64\\"), count(distinct id), sum(length(message)) from read_parquet({glob}, union_by_name=true)").fetchall()[0]
      levels = dict(duckdb.sql(f"select level, count(*) from read_parquet({glob}, union_by_name=true) group by 1").fetchall())
      one = duckdb.sql(f"select count(*) from read_parquet({glob}, union_by_name=true) where trace_id = 't-77'").fetchall()[0][0]
      import pyarrow.compute as pc
      print(json.dumps({"rows": table.num_rows, "sum": pc.sum(table["metadata.n:int64"]).as_py(), "positions": len(set(table["position"].to_pylist())),
        "duck_rows": sql[0], "duck_sum": int(sql[1]), "duck_ids": sql[2], "duck_chars": int(sql[3]), "levels": levels, "one": one,
        "timestamp": str(table.schema.field("timestamp").type)}))
      """

    @Test func foreignReadersAgree() throws {
      let folder = try TemporaryFolder()
      let data = folder.path + "/data"
      let server = try ServerProcess(data: data)
      let levels = ["INFO", "WARN", "ERROR"]
      var chars = 0
      for part in 0..<4 {
        var body = ""
        for n in (part * 5000)..<((part + 1) * 5000) {
          let message = "request \(n) finished für \(n % 7) in \(Double(n) / 8) ms"
          chars += message.unicodeScalars.count
          body +=
            "{\"level\":\"\(levels[n % 3])\",\"message\":\"\(message)\",\"trace_id\":\"t-\(n)\",\"n\":\(n)}\n"
        }
        let answer = try server.request("POST", "/v1/records/logs", body: body)
        #expect(answer.status == 201, "\(answer.text)")
        if part % 2 == 1 { try server.archive() }
      }
      let inspected = try Program.run(["inspect", data, "--files"], in: folder)
      #expect(inspected.status == 0, "\(inspected.errors)")
      let list = inspected.text.split(separator: "\n").joined(separator: ",")
      let answer = try Tool.python(ForeignReaderTests.script, [data, list], in: folder)
      let found = try #require(try JSONSerialization.jsonObject(with: Data(answer.utf8)) as? [String: Any])
      let total = 20_000
      #expect(found["rows"] as? Int == total)
      #expect(found["positions"] as? Int == total)
      #expect(found["duck_rows"] as? Int == total)
      #expect(found["duck_ids"] as? Int == total)
      #expect(found["duck_chars"] as? Int == chars)
      #expect(found["sum"] as? Int == total * (total - 1) / 2)
      #expect(found["duck_sum"] as? Int == total * (total - 1) / 2)
      #expect(found["one"] as? Int == 1)
      #expect(found["timestamp"] as? String == "timestamp[us, tz=UTC]")
      let counted = try server.query(["dataset": "logs", "group_by": ["level"], "measures": ["count"]])
      let ours = Dictionary(
        uniqueKeysWithValues: counted.map { ($0["level"] as? String ?? "", $0["count"] as? Int ?? -1) })
      #expect(found["levels"] as? [String: Int] == ours)
      #expect(server.stop() == 0)
    }

    /// Members that are of one type in one block and of another in the next, names that differ by case or
    /// need escapes, times to the nanosecond, at both ends, and before 1970.
    static let nasty: [[String]] = [
      [
        "\"n\":1,\"big\":9007199254740993", "\"n\":2,\"userId\":\"camel\"", "\"userId\":\"two\",\"userid\":7",
      ],
      ["\"n\":\"one\",\"userid\":\"flat\"", "\"n\":\"two\",\"É\":1", "\"É\":2,\"é\":3"],
      ["\"n\":1.5,\"USERID\":true", "\"n\":2.25,\"USERID\":false", "\"é\":\"x\",\"a.b\":1,\"a:b\":2"],
      [
        "\"n\":true,\"k\":{\"o\":[1,null]}", "\"n\":false,\"\":\"no name\"",
        "\"\":\"\",\"a^b\":\"c\",\"%\":\"d\"",
      ],
    ]
    static let times = [
      "2026-11-20T10:00:00.123456789Z", "1969-12-31T23:59:59.999999999Z", "1677-09-21T00:12:43.145224193Z",
      "2262-04-11T23:47:16.854775807Z",
    ]

    /// The first block has times of all ages, the others neighbours at distances on both sides of what
    /// fastparquet can be given as differences, and near ones.
    static func row(_ place: Int, block: Int) -> String {
      var time = times[place % 4]
      if block > 0 {
        let step = [250_000_000_000, 300_000_000_000, 1_000_001][block - 1]
        time = RFC3339.string(1_795_000_000_123_456_789 + Int64(place * step))
      }
      let members = nasty[block][place / 4 % 3]
      return "{\"timestamp\":\"\(time)\",\"message\":\"m \(place)\",\"metadata\":{\(members)}}\n"
    }

    /// All readers there are but Spark, which `make test-readers` asks as well.
    @Test func everybodyReadsWholeFolders() throws {
      let folder = try TemporaryFolder()
      let data = folder.path + "/data"
      let server = try ServerProcess(data: data)
      for block in Self.nasty.indices {
        let body = (0..<48).map { Self.row($0, block: block) }.joined()
        let answer = try server.request("POST", "/v1/records/logs", body: body)
        #expect(answer.status == 201, "\(answer.text)")
        try server.archive()
      }
      let all = try server.request(
        "POST", "/v1/query", headers: ["Accept": "application/x-ndjson"],
        body: "{\"dataset\":\"logs\",\"order\":\"asc\",\"limit\":1000}")
      #expect(all.status == 200)
      try Data(all.body).write(to: URL(fileURLWithPath: folder.path + "/expected.ndjson"))
      #expect(server.stop() == 0)
      let script = try String(contentsOfFile: Tool.root + "/scripts/readers/__main__.py", encoding: .utf8)
      let told = try Tool.python(script, [folder.path + "/expected.ndjson", data + "/blocks"], in: folder)
      #expect(told.split(separator: "\n").count == 6, "\(told)")
      for line in told.split(separator: "\n") { #expect(line.contains("4 files, 192 records as the server")) }
      // For make test-readers.
      if let kept = ProcessInfo.processInfo.environment["CORDWOOD_READERS_FOLDER"] {
        try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: data + "/blocks", toPath: kept + "/blocks")
        try FileManager.default.copyItem(
          atPath: folder.path + "/expected.ndjson", toPath: kept + "/expected.ndjson")
      }
    }

    private func server(of store: String, in folder: TemporaryFolder) throws -> (ServerProcess, data: String)
    {
      let data = folder.path + "/data"
      try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
      let golden = Tool.root + "/Tests/ProcessTests/golden/\(store).tar.gz"
      #expect(try Tool.run(["tar", "-C", data, "-xzf", golden], in: folder).status == 0)
      try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: data)
      return (try ServerProcess(data: data), data)
    }

    private func waitForUpgrade(of data: String, in folder: TemporaryFolder) throws {
      var told = ""
      let deadline = Date().addingTimeInterval(60)
      repeat {
        let result = try Program.run(["inspect", data], in: folder)
        // A block that goes while it is looked at is an error.
        told = result.status == 0 ? result.text : "older format: \(result.errors)"
      } while told.contains("older format") && Date() < deadline
      #expect(told.contains("native/default/logs") && !told.contains("older format"), "\(told)")
    }

    /// A block of version 2, whose row groups were cut by bytes.
    @Test func cutBlocksOfBeforeAreWrittenAnew() throws {
      let folder = try TemporaryFolder()
      let (server, data) = try server(of: "store-0.2-cut", in: folder)
      let ask: [String: Any] = [
        "dataset": "logs", "order": "asc", "limit": 1000, "columns": ["position", "id", "timestamp"],
      ]
      let rows = try server.query(ask)
      #expect(rows.count == 100)
      try waitForUpgrade(of: data, in: folder)
      #expect(NSArray(array: try server.query(ask)) == NSArray(array: rows))
      for place in [0, 71, 72, 99] {
        let one = try server.query([
          "dataset": "logs", "where": ["prefix": ["message", "a \(place) x"]], "columns": ["message"],
        ])
        #expect(one.map { ($0["message"] as? String)?.utf8.count } == [900_003 + "\(place)".utf8.count])
      }
      #expect(server.stop() == 0)
      try Program.expectSound(data, in: folder)
    }

    /// A store of version 0.2, whose blocks are of version 1: read at once, and written anew by and by.
    @Test func blocksOfBeforeAreWrittenAnew() throws {
      let folder = try TemporaryFolder()
      let (server, data) = try server(of: "store-0.2", in: folder)
      let ask: [String: Any] = ["dataset": "logs", "order": "asc", "limit": 1000]
      let rows = try server.query(ask)
      #expect(rows.count == 85)
      for (place, row) in rows.sorted(by: { $0["position"] as? Int ?? 0 < $1["position"] as? Int ?? 0 })
        .enumerated()
      {
        #expect((row["message"] as? String)?.hasPrefix("request \(place) took") == true)
        let metadata = row["metadata"] as? [String: Any] ?? [:]
        let status: Any? = place < 40 ? 200 + place % 5 : place < 80 ? "\(place)" : nil
        #expect("\(metadata["status"] ?? "none")" == "\(status ?? "none")")
        #expect(metadata["userid"] as? Int == (place < 40 ? place : nil))
      }
      try waitForUpgrade(of: data, in: folder)
      #expect(NSArray(array: try server.query(ask)) == NSArray(array: rows))
      #expect(server.stop() == 0)
      try Program.expectSound(data, in: folder)
    }
  }
}
