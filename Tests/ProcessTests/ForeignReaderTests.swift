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
      sql = duckdb.sql(f"select count(*), sum(\\"metadata.n\\"), count(distinct id), sum(length(message)) from read_parquet({glob}, union_by_name=true)").fetchall()[0]
      levels = dict(duckdb.sql(f"select level, count(*) from read_parquet({glob}, union_by_name=true) group by 1").fetchall())
      one = duckdb.sql(f"select count(*) from read_parquet({glob}, union_by_name=true) where trace_id = 't-77'").fetchall()[0][0]
      import pyarrow.compute as pc
      print(json.dumps({"rows": table.num_rows, "sum": pc.sum(table["metadata.n"]).as_py(), "positions": len(set(table["position"].to_pylist())),
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
      #expect(found["timestamp"] as? String == "timestamp[ns, tz=UTC]")
      let counted = try server.query(["dataset": "logs", "group_by": ["level"], "measures": ["count"]])
      let ours = Dictionary(
        uniqueKeysWithValues: counted.map { ($0["level"] as? String ?? "", $0["count"] as? Int ?? -1) })
      #expect(found["levels"] as? [String: Int] == ours)
      #expect(server.stop() == 0)
    }
  }
}
