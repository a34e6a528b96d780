import Foundation
import Glibc
import Testing

extension ProcessSuite {
  /// `cordwood inspect` and `cordwood check` on real data directories, sound and damaged.
  @Suite struct InspectTests {
    /// A stopped server's data: 3,000 records in a block, 500 in the journal.
    private func data(in folder: TemporaryFolder) throws -> String {
      let data = folder.path + "/data"
      let server = try ServerProcess(data: data)
      for range in [0..<3000, 3000..<3500] {
        let body = range.map { "{\"service\":\"shop\",\"message\":\"order \($0) placed\",\"n\":\($0)}\n" }
        let answer = try server.request("POST", "/v1/records/logs", body: body.joined())
        #expect(answer.status == 201, "\(answer.text)")
        if range.lowerBound == 0 { try server.archive() }
      }
      // Not SIGTERM: a stop may archive what is left.
      server.kill()
      return data
    }

    private func files(_ data: String, _ suffix: String) throws -> [String] {
      try FileManager.default.subpathsOfDirectory(atPath: data).filter { $0.hasSuffix(suffix) }.sorted()
        .map { data + "/" + $0 }
    }

    @Test func inspectTellsWhatIsThere() throws {
      let folder = try TemporaryFolder()
      let data = try data(in: folder)
      let all = try Program.run(["inspect", data], in: folder)
      #expect(all.status == 0, "\(all.errors)")
      #expect(all.text.contains("blocks   3,000 records"), "\(all.text)")
      #expect(all.text.contains("journal  500 records"), "\(all.text)")
      #expect(all.text.contains("metadata.n"), "\(all.text)")
      #expect(all.text.contains("positions 0-2999"), "\(all.text)")
      let arrow = folder.path + "/head.arrows"
      let written = try Program.run(["inspect", data, "--arrow", arrow], in: folder)
      #expect(written.status == 0 && written.errors.contains("500 records"), "\(written.errors)")
      #expect(try Data(contentsOf: URL(fileURLWithPath: arrow)).count > 500 * 16)
      let none = try Program.run(["inspect", folder.path + "/none"], in: folder)
      #expect(none.status == 1 && none.errors.contains("none"), "\(none.errors)")
      try Program.expectSound(data, in: folder)
    }

    /// Any bit of a block, of the manifest's edits or of a committed frame that flips is found, with its
    /// file. The last edit is left out: damage of its header looks like a write that was not finished.
    @Test func checkNamesTheDamagedFile() throws {
      let folder = try TemporaryFolder()
      let data = try data(in: folder)
      var generator = SplitMix(state: 3)
      let block = try #require(try files(data, ".parquet").first)
      let segment = try #require(try files(data, ".seg").last { try used($0) > 4096 })
      let manifest = data + "/manifest"
      for (path, limit) in [(block, try size(block)), (segment, 4096), (manifest, 128)] {
        for _ in 0..<12 {
          let at = Int.random(in: 0..<limit, using: &generator)
          let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
          try flip(path, at, bit)
          let result = try Program.run(["check", data], in: folder)
          #expect(result.status == 1, "\(path) byte \(at): \(result.text) \(result.errors)")
          #expect(
            result.text.contains("DAMAGED  \(path), byte "), "byte \(at): \(result.text) \(result.errors)")
          try flip(path, at, bit)
        }
      }
      try Program.expectSound(data, in: folder)
      let control = data + "/control.sqlite"
      try FileManager.default.moveItem(atPath: control, toPath: control + ".away")
      let without = try Program.run(["check", data], in: folder)
      #expect(
        without.status == 1 && without.text.contains("DAMAGED  \(control), byte 0: "), "\(without.text)")
      #expect(throws: (any Error).self) { _ = try ServerProcess(data: data) }
      #expect(!FileManager.default.fileExists(atPath: control), "a start made another one")
      try FileManager.default.moveItem(atPath: control + ".away", toPath: control)
      try Program.expectSound(data, in: folder)
      try FileManager.default.removeItem(atPath: block)
      let gone = try Program.run(["check", data], in: folder)
      #expect(gone.status == 1 && gone.text.contains(block), "\(gone.text)")
    }

    /// Of users and keys: a bit of SQLite's log after a kill, or of the database after a stop.
    @Test func damageOfTheControlDatabaseStopsAStart() throws {
      let folder = try TemporaryFolder()
      let data = folder.path + "/data"
      let control = data + "/control.sqlite"
      var server = try ServerProcess(data: data)
      for _ in 0..<8 {
        let login = try server.request(
          "POST", "/api/auth/login", headers: ["Content-Type": "application/json"],
          body: #"{"username":"admin","password":"admin"}"#)
        #expect(login.status == 200, "\(login.text)")
      }
      server.kill()
      try Program.expectSound(data, in: folder)
      // In the page of a frame that others follow.
      let log = try Data(contentsOf: URL(fileURLWithPath: control + "-wal"))
      let frame = 24 + log[8..<12].reduce(0) { $0 << 8 | Int($1) }
      let place = 32 + ((log.count - 32) / frame - 6) * frame
      try flip(control + "-wal", place + 100, 2)
      let check = try Program.run(["check", data], in: folder)
      #expect(check.status == 1, "\(check.text)")
      #expect(check.text.contains("DAMAGED  \(control)-wal, byte \(place): "), "\(check.text)")
      #expect(throws: (any Error).self) { _ = try ServerProcess(data: data) }
      let tool = try Program.run(["keys", "list", "--data-dir", data], in: folder)
      #expect(tool.status != 0 && tool.errors.contains("byte \(place)"), "\(tool.errors)")
      let repair = try Program.run(["repair", data], in: folder)
      #expect(repair.status == 1 && repair.text.hasPrefix("WOULD LOSE  users, keys"), "\(repair.text)")
      let accepted = try Program.run(["repair", data, "--accept-loss"], in: folder)
      #expect(accepted.status == 0 && accepted.text.hasPrefix("LOST  users"), "\(accepted.errors)")
      #expect(FileManager.default.fileExists(atPath: data + "/lost+found/control.sqlite-wal"))
      try Program.expectSound(data, in: folder)
      server = try ServerProcess(data: data)
      #expect(server.stop() == 0)
      try Program.expectSound(data, in: folder)
      try flip(control, 5000, 4)
      let damaged = try Program.run(["check", data], in: folder)
      #expect(
        damaged.status == 1 && damaged.text.contains("DAMAGED  \(control), byte 4096: "), "\(damaged.text)")
      #expect(throws: (any Error).self) { _ = try ServerProcess(data: data) }
      try FileManager.default.removeItem(atPath: control)
      let begun = try Program.run(["repair", data, "--accept-loss"], in: folder)
      #expect(begun.status == 0 && begun.text.contains("missing: users"), "\(begun.text) \(begun.errors)")
      server = try ServerProcess(data: data)
      #expect(server.stop() == 0)
    }

    @Test func checkRefusesWhileAServerRuns() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      let result = try Program.run(["check", folder.path + "/data"], in: folder)
      #expect(result.status == 2 && result.errors.contains("in use by a server"), "\(result.errors)")
      #expect(server.stop() == 0)
    }

    /// Users of before, with names that no new user gets; nothing is changed by looking.
    @Test func checkNamesUsersThatLookAlike() throws {
      try LiveScript.run(
        #"""
        import sqlite3

        server = Server()
        server.stop()
        path = server.data + "/control.sqlite"
        database = sqlite3.connect(path)
        for name in ["ann", "ANN", "Jose\u0301"]:
            database.execute(
                "INSERT INTO users (name, looks, password, role, hasDefaultPassword, createdAt) "
                "VALUES (?, '', 'x', 'user', 0, 0)", (name,))
        database.commit()
        database.close()

        def files():
            return {
                os.path.join(folder, name): open(os.path.join(folder, name), "rb").read()
                for folder, _, names in os.walk(server.data) for name in names if name != "lock"}

        def check():
            return subprocess.run([BINARY, "check", server.data], capture_output=True, text=True)

        before = files()
        result = check()
        assert result.returncode == 0, result
        notes = [line for line in result.stdout.splitlines() if line.startswith(f"note     {path}")]
        assert len(notes) == 2, result.stdout
        assert "4A 6F 73 65 CC 81" in notes[0] and "Normalization Form C" in notes[0], notes
        assert "the users ANN, ann look alike" in notes[1], notes
        assert files() == before
        with open(path, "r+b") as file:
            file.write(b"x" * 4096)
        result = check()
        assert result.returncode == 1 and f"DAMAGED  {path}" in result.stdout, result
        """#)
    }

    private func size(_ path: String) throws -> Int {
      try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    }

    /// Bytes up to the last that is not zero.
    private func used(_ path: String) throws -> Int {
      (try Data(contentsOf: URL(fileURLWithPath: path)).lastIndex { $0 != 0 } ?? 0) + 1
    }

    /// As a disk does it: the file's time stays.
    private func flip(_ path: String, _ at: Int, _ bit: UInt8) throws {
      var times = stat()
      #expect(stat(path, &times) == 0)
      let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
      try file.seek(toOffset: UInt64(at))
      let byte = try #require(try file.read(upToCount: 1)?.first)
      try file.seek(toOffset: UInt64(at))
      try file.write(contentsOf: Data([byte ^ bit]))
      #expect(futimens(file.fileDescriptor, [times.st_atim, times.st_mtim]) == 0)
      try file.close()
    }
  }
}
