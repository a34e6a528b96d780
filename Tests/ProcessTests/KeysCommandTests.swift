import Crypto
import Foundation
import Testing

/// `cordwood keys` on the data of a server that runs and of one that does not.
@Suite(.serialized) struct KeysCommandTests {
  private static func keys(_ arguments: [String], _ folder: TemporaryFolder) throws -> Program.Result {
    try Program.run(["keys"] + arguments + ["--data-dir", folder.path + "/data"], in: folder)
  }

  private static func create(
    _ name: String, _ realm: String, role: String = "user", _ folder: TemporaryFolder
  ) throws -> String {
    let made = try keys(
      ["create", name, "--realm", realm, "--tenant", "client_7", "--role", role], folder)
    #expect(made.status == 0, "\(made.errors)")
    let lines = made.text.split(separator: "\n")
    #expect(lines.count == 1, "the key and nothing else, for scripts")
    return lines.first.map(String.init) ?? ""
  }

  /// Every byte of every file below the data directory.
  private static func bytes(_ folder: TemporaryFolder) throws -> Data {
    var all = Data()
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path + "/data") {
      var isFolder: ObjCBool = false
      let path = folder.path + "/data/" + name
      guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue else {
        continue
      }
      all.append(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
    return all
  }

  private static func expectHashed(_ key: String, _ folder: TemporaryFolder) throws {
    let bytes = try bytes(folder)
    let hash = SHA256.hash(data: Data(key.utf8)).map { String(format: "%02x", $0) }.joined()
    #expect(bytes.range(of: Data(hash.utf8)) != nil, "the hash is there: the right files were read")
    #expect(bytes.range(of: Data(key.utf8)) == nil)
    #expect(bytes.range(of: Data(key.dropFirst(3).utf8)) == nil, "nor without its prefix")
    let base64 = key.dropFirst(3).replacing("-", with: "+").replacing("_", with: "/") + "="
    let secret = try #require(Data(base64Encoded: String(base64)))
    #expect(secret.count == 32 && bytes.range(of: secret) == nil, "nor its bytes")
  }

  /// Asks until the answer is as expected. Two seconds suffice by far: the server looks for changes every
  /// second.
  private static func expect(
    _ status: Int, _ reason: Comment, _ ask: () throws -> Int, location: SourceLocation = #_sourceLocation
  ) throws {
    let deadline = Date().addingTimeInterval(20)
    var last = try ask()
    while last != status, Date() < deadline { last = try ask() }
    #expect(last == status, reason, sourceLocation: location)
  }

  @Test func keysOfARunningServer() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let workflow = try KeysCommandTests.create("n8n", "workflow", folder)
    let native = try KeysCommandTests.create("shop", "native", role: "writer", folder)
    func workflowStatus() throws -> Int {
      try WorkflowClient(port: server.port, key: workflow).request("GET", "/api/v1/logs").status
    }
    func nativeStatus() throws -> Int {
      try server.request(
        "POST", "/v1/records/logs", headers: ["Authorization": "Bearer \(native)"], body: #"{"message":"x"}"#
      ).status
    }
    try KeysCommandTests.expect(200, "works without a restart", workflowStatus)
    try KeysCommandTests.expect(201, "works without a restart", nativeStatus)
    let query = try server.request(
      "POST", "/v1/query", headers: ["Authorization": "Bearer \(native)"], body: #"{"dataset":"logs"}"#)
    #expect(query.status == 403, "a writer does not read")
    _ = try WorkflowClient(port: server.port, key: workflow).create(WorkflowClient.log("T-1"))
    let list = try KeysCommandTests.keys(["list"], folder)
    let rows = list.text.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
    #expect(
      rows.map { Array($0.prefix(4)) } == [
        ["workflow", "n8n", "client_7", "user"], ["native", "shop", "client_7", "writer"],
      ])
    #expect(rows.allSatisfy { $0.last == "-" }, "none is revoked")
    #expect(!list.text.contains(workflow) && !list.text.contains(native), "shown once")
    let twice = try KeysCommandTests.keys(
      ["create", "n8n", "--realm", "workflow", "--tenant", "other"], folder)
    #expect(twice.status != 0 && twice.text.isEmpty)
    for key in [workflow, native] {
      try KeysCommandTests.expectHashed(key, folder)
      #expect(!server.log.contains(key))
    }
    #expect(try KeysCommandTests.keys(["revoke", "n8n"], folder).status == 0)
    try KeysCommandTests.expect(401, "stops without a restart", workflowStatus)
    #expect(try nativeStatus() == 201, "the other goes on")
    #expect(try KeysCommandTests.keys(["revoke", "n8n"], folder).status != 0, "it is revoked already")
    #expect(try KeysCommandTests.keys(["revoke", "nobody"], folder).status != 0)
    let after = try KeysCommandTests.keys(["list"], folder).text.split(separator: "\n")
    #expect(after.count == 2 && !after[0].hasSuffix("\t-"), "a revoked key stays in the list")
    #expect(server.stop() == 0)
    for key in [workflow, native] { try KeysCommandTests.expectHashed(key, folder) }
  }

  @Test func keysOfAStoppedServer() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    let none = try KeysCommandTests.keys(["list"], folder)
    #expect(none.status != 0 && none.errors.contains("there is no directory"))
    #expect(try ServerProcess(data: data).stop() == 0)
    let key = try KeysCommandTests.create("ci", "workflow", role: "admin", folder)
    let gone = try KeysCommandTests.create("old", "workflow", folder)
    #expect(try KeysCommandTests.keys(["revoke", "old", "--realm", "workflow"], folder).status == 0)
    for refused in [
      ["create", "x", "--realm", "workflow", "--tenant", "t", "--role", "reader"],
      ["create", "x", "--realm", "audit", "--tenant", "t"],
      ["create", "", "--realm", "native", "--tenant", "t"],
      ["create", "x", "--realm", "native", "--tenant", ""], ["create", "x", "--realm", "native"],
      ["revoke", "ci", "--realm", "native"],
    ] {
      let answer = try KeysCommandTests.keys(refused, folder)
      #expect(answer.status != 0 && answer.text.isEmpty, "\(refused)")
    }
    for key in [key, gone] { try KeysCommandTests.expectHashed(key, folder) }
    let server = try ServerProcess(data: data)
    let client = WorkflowClient(port: server.port, key: key)
    _ = try client.create(WorkflowClient.log("T-1"))
    #expect(
      try client.request("GET", "/api/v1/metrics/overview?explain=1").status == 200, "an administrator's")
    #expect(try WorkflowClient(port: server.port, key: gone).request("GET", "/api/v1/logs").status == 401)
    #expect(server.stop() == 0)
  }
}
