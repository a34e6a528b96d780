import Foundation
import Testing

/// `cordwood backup` and `restore` on the real program, under load. `CORDWOOD_BACKUP_ROUNDS` makes it longer.
@Suite(.serialized) struct BackupProcessTests {
  private static let rounds =
    ProcessInfo.processInfo.environment["CORDWOOD_BACKUP_ROUNDS"].flatMap { Int($0) } ?? 3
  /// Blocks every second, and merged; segments as small as may be.
  private static let busy = [
    "--set", "archive.max_age_seconds=1", "--set", "archive.bytes_max=1048576", "--set",
    "journal.segment_bytes=1048576", "--set", "storage.write_reserve_bytes=0",
  ]

  @Test func backupsUnderLoadHoldWhatWasAcknowledged() throws {
    let folder = try TemporaryFolder()
    let (data, target) = (folder.path + "/data", folder.path + "/backup")
    let server = try ServerProcess(data: data, arguments: BackupProcessTests.busy)
    let load = try BackupLoad(port: server.port)
    for round in 1...BackupProcessTests.rounds {
      load.run()
      let before = load.ledger
      let backup = try Program.run(["backup", target, "--data-dir", data], in: folder)
      let after = load.ledger
      #expect(backup.status == 0, "round \(round): \(backup.text) \(backup.errors)")
      load.rest()
      let copy = folder.path + "/copy-\(round)"
      let restore = try Program.run(["restore", target, "--data-dir", copy], in: folder)
      #expect(restore.status == 0, "round \(round): \(restore.text) \(restore.errors)")
      try Program.expectSound(copy, in: folder)
      let restored = try ServerProcess(data: copy, arguments: BackupProcessTests.busy)
      try BackupLoad.check(restored, from: before, to: after, "round \(round)")
      try expectFarPositions(restored)
      #expect(restored.stop() == 0)
      try Program.expectSound(copy, in: folder)
      try FileManager.default.removeItem(atPath: copy)
    }
    #expect(load.end() == [])
    #expect(server.stop() == 0)
    try Program.expectSound(data, in: folder)
    // Of a stopped server, by the same command line.
    let last = try Program.run(["backup", target, "--data-dir", data, "--verify-all"], in: folder)
    #expect(last.status == 0, "\(last.errors)")
    #expect(try Program.run(["restore", target, "--verify-only"], in: folder).status == 0)
  }

  /// A position that a client may have seen is not given again.
  private func expectFarPositions(_ server: ServerProcess) throws {
    let answer = try server.request(
      "POST", "/v1/records/logs", headers: ["Content-Type": "application/x-ndjson"],
      body: "{\"service\":\"later\",\"message\":\"m\"}\n")
    #expect(answer.status == 201)
    let row = try server.query([
      "dataset": "logs", "where": ["eq": ["service", "later"]], "columns": ["position"], "limit": 1,
    ])[0]
    #expect((row["position"] as? Int ?? 0) > 1 << 32)
  }

  /// A copy by other tools while the server runs: refused, or it says what is missing, or it is whole.
  @Test func aCopyOfARunningServerIsRefusedOrWhole() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let server = try ServerProcess(data: data, arguments: BackupProcessTests.busy)
    let load = try BackupLoad(port: server.port)
    var outcomes: [String: Int] = [:]
    for round in 1...BackupProcessTests.rounds * 2 {
      load.run()
      let before = load.ledger
      let copy = folder.path + "/copy-\(round)"
      // A file that goes meanwhile is no reason to stop, as with rsync.
      _ = try Tool.run(["cp", "-r", data, copy], in: folder)
      let after = load.ledger
      load.rest()
      let check = try Program.run(["check", copy], in: folder)
      guard let copied = try? ServerProcess(data: copy, arguments: BackupProcessTests.busy) else {
        #expect(check.status == 1, "round \(round): refused at the start, but sound: \(check.text)")
        outcomes["refused", default: 0] += 1
        try FileManager.default.removeItem(atPath: copy)
        continue
      }
      let all = try copied.request(
        "POST", "/v1/query", headers: ["Content-Type": "application/json"],
        body: #"{"dataset":"logs","measures":["count"]}"#)
      if all.headers["cordwood-incomplete"] != nil {
        #expect(check.status == 1, "round \(round)")
        outcomes["incomplete", default: 0] += 1
      } else {
        try BackupLoad.check(copied, from: before, to: after, "copy \(round)")
        outcomes["whole", default: 0] += 1
      }
      #expect(copied.stop() == 0)
      try FileManager.default.removeItem(atPath: copy)
    }
    print("copies of a running server: \(outcomes)")
    #expect(load.end() == [])
    #expect(server.stop() == 0)
  }

  @Test func whatIsRefusedSaysWhy() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let server = try ServerProcess(data: data)
    #expect(server.stop() == 0)
    let photos = folder.path + "/photos"
    try FileManager.default.createDirectory(atPath: photos, withIntermediateDirectories: true)
    try Data("x".utf8).write(to: URL(fileURLWithPath: photos + "/cat.jpg"))
    let link = folder.path + "/link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: data)
    let refused: [([String], String)] = [
      (["backup", photos, "--data-dir", data], "not empty"),
      (["backup", data + "/backup", "--data-dir", data], "lies in"),
      (["backup", link + "/x", "--data-dir", data], "lies in"),
      (["backup", folder.path, "--data-dir", data], "lies in"),
      (["backup", folder.path + "/b", "--data-dir", photos], "no data directory"),
      (["restore", photos, "--data-dir", folder.path + "/new"], "no backup"),
    ]
    for (arguments, reason) in refused {
      let result = try Program.run(arguments, in: folder)
      #expect(result.status == 2 && result.errors.contains(reason), "\(arguments): \(result.errors)")
    }
    let target = folder.path + "/b"
    #expect(try Program.run(["backup", target, "--data-dir", data, "--quiet"], in: folder).text == "")
    for other in [data, photos] {
      let result = try Program.run(["restore", target, "--data", other], in: folder)
      #expect(result.status == 2 && result.errors.contains("not empty"), "\(result.errors)")
    }
    let state = try #require(
      FileManager.default.contentsOfDirectory(atPath: target).first { $0.hasPrefix("state-") })
    let control = "\(target)/\(state)/control.sqlite"
    let mode = try FileManager.default.attributesOfItem(atPath: control)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: control))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(fileURLWithPath: control))
    let damaged = try Program.run(["restore", target, "--data-dir", folder.path + "/new"], in: folder)
    #expect(damaged.status == 1 && damaged.errors.contains(control), "\(damaged.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/new"))
  }
}
