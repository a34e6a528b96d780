import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#endif

extension ProcessSuite {
  /// Files that go bad under the real server.
  @Suite struct DamagedFilesTests {
    private static func write(_ range: Range<Int>, to server: ServerProcess) throws {
      let body = range.map { "{\"message\":\"order \($0) placed\"}\n" }.joined()
      #expect(try server.request("POST", "/v1/records/logs", body: body).status == 201)
    }

    private static func ask(
      _ server: ServerProcess, _ query: String = "{\"dataset\":\"logs\",\"limit\":10000}",
      headers: [String: String] = [:]
    ) throws -> HTTPAnswer {
      try server.request(
        "POST", "/v1/query", headers: headers.merging(["Content-Type": "application/json"]) { $1 },
        body: query)
    }

    private static func rowCount(_ answer: HTTPAnswer) -> Int {
      answer.text.components(separatedBy: "\"message\"").count - 1
    }

    private static func blocks(_ data: String) throws -> [String] {
      try FileManager.default.subpathsOfDirectory(atPath: data).filter { $0.hasSuffix(".parquet") }.sorted()
    }

    @Test func aBlockThatIsCutCostsItsRecordsAndNothingElse() throws {
      let folder = try TemporaryFolder()
      let data = folder.path + "/data"
      let server = try ServerProcess(data: data)
      try Self.write(0..<300, to: server)
      try server.archive()
      try Self.write(300..<350, to: server)
      #expect(Self.rowCount(try Self.ask(server)) == 350)
      let block = try #require(try Self.blocks(data).first)
      #expect(truncate(data + "/" + block, 0) == 0)
      // The first to meet it may be told; from then on all are answered with what is left.
      _ = try Self.ask(server)
      let answer = try Self.ask(server)
      #expect(answer.status == 200 && Self.rowCount(answer) == 50, "\(answer.status) \(answer.text)")
      #expect(answer.headers["cordwood-incomplete"] == "files=1, rows-max=300")
      #expect(
        answer.text.contains("],\"incomplete\":{\"files\":1,\"rows_max\":300},\"statistics\":{"),
        "\(answer.text.suffix(300))")
      let strict = try Self.ask(server, headers: ["Prefer": "handling=strict"])
      #expect(strict.status == 500 && !strict.text.contains(".parquet"), "\(strict.text)")
      #expect(try Self.ask(server, "{\"dataset\":\"logs\",\"strict\":true}").status == 500)
      #expect(try server.request("GET", "/metrics").text.contains("\ncordwood_damaged_files 1\n"))
      let ready = try server.request("GET", "/readyz")
      #expect(ready.status == 200 && ready.text.contains("\"damaged_files\":[\"\(block)\"]"), "\(ready.text)")
      #expect(server.logs(data + "/" + block), "the log says which file: \(server.log)")
      try Self.write(350..<360, to: server)
      #expect(Self.rowCount(try Self.ask(server)) == 60)
      #expect(server.stop() == 0)
      try repairs(data, block, in: folder)
    }

    private func repairs(_ data: String, _ block: String, in folder: TemporaryFolder) throws {
      let check = try Program.run(["check", data], in: folder)
      #expect(check.status == 1 && check.text.contains("DAMAGED  \(data)/\(block)"), "\(check.text)")
      let told = try Program.run(["repair", data], in: folder)
      #expect(told.status == 1, "\(told.text) \(told.errors)")
      #expect(told.text.contains("WOULD LOSE  300 records of native/"), "\(told.text)")
      #expect(try Self.blocks(data) == [block])
      let done = try Program.run(["repair", data, "--accept-loss"], in: folder)
      #expect(done.status == 0 && done.text.contains("LOST  300 records"), "\(done.text) \(done.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: data + "/lost+found").count == 1)
      let server = try ServerProcess(data: data)
      let answer = try Self.ask(server)
      #expect(Self.rowCount(answer) == 60 && answer.headers["cordwood-incomplete"] == nil)
      #expect(server.stop() == 0)
      try Program.expectSound(data, in: folder)
    }

    /// One flipped bit in the header of a frame ended the server at the next query.
    @Test func aFlippedBitInTheJournalIsAnError() throws {
      let folder = try TemporaryFolder()
      let data = folder.path + "/data"
      let server = try ServerProcess(data: data)
      try Self.write(0..<3, to: server)
      let path = data + "/journal/00000001.seg"
      for at in [8, 21, 40, 73, 100] {
        try Self.flip(path, 64 + at)
        _ = try Self.ask(server)
        let answer = try Self.ask(server)
        #expect(answer.status == 200 && Self.rowCount(answer) == 0, "byte \(at): \(answer.text)")
        #expect(answer.headers["cordwood-incomplete"] == "files=1, rows-max=3", "byte \(at)")
        try Self.flip(path, 64 + at)
      }
      #expect(try server.request("GET", "/healthz").status == 200)
      #expect(try Self.ask(server, "{\"dataset\":\"logs\",\"strict\":true}").status == 200)
      #expect(server.stop() == 0)
      let next = try ServerProcess(data: data)
      #expect(Self.rowCount(try Self.ask(next)) == 3)
    }

    private static func flip(_ path: String, _ at: Int) throws {
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      try file.seek(toOffset: UInt64(at))
      let byte = try #require(try file.read(upToCount: 1)?.first)
      try file.seek(toOffset: UInt64(at))
      try file.write(contentsOf: Data([byte ^ 1]))
      try file.close()
    }
  }
}
