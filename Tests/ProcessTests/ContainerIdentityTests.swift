import Foundation
import Testing

/// Records belong to a container, not to whoever has its name.
@Suite(.serialized) struct ContainerIdentityTests {
  /// The control database of before the container was made is put back; somebody else takes the name.
  @Test(arguments: [false, true])
  func aNameTakenAnewShowsNoOldRecords(isArchived: Bool) throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    var server = try ServerProcess(data: data)
    #expect(server.stop() == 0)
    let copy = folder.path + "/copy"
    try FileManager.default.createDirectory(atPath: copy, withIntermediateDirectories: true)
    try copyControl(from: data, to: copy)

    server = try ServerProcess(data: data)
    let first = try SessionsClient(port: server.port)
    try first.make("app", "run")
    let rows = (0..<5).map { SessionRow(number: $0, padding: " secret of the first") }
    #expect(try first.write(rows, to: "app/run").status == 201)
    let cursor = try #require(try first.read("app/run", "limit=1").cursor)
    if isArchived { try server.archive(as: [:]) }
    #expect(server.stop() == 0)
    try copyControl(from: copy, to: data)

    server = try ServerProcess(data: data)
    let second = try SessionsClient(port: server.port)
    try second.make("app", "run")
    for query in ["", "?stream=true", "?format=ndjson", "?format=csv", "?contains=secret"] {
      let answer = try second.request("GET", "/api/logs/app/run" + query)
      #expect(answer.status == 200 && !answer.text.contains("secret of"), "\(query): \(answer.text)")
    }
    #expect(try second.request("GET", "/api/logs/app/run?cursor=\(cursor)").status == 400)
    #expect(try second.write([SessionRow(number: 9, padding: " of the second")], to: "app/run").status == 201)
    if isArchived { try server.archive(as: [:]) }
    let all = try second.request("GET", "/api/logs/app/run?format=csv")
    #expect(all.text.contains("of the second") && !all.text.contains("of the first"))
    #expect(all.text.contains(",app,run"), "the names, not the identity: \(all.text)")
    #expect(server.stop() == 0)
  }

  /// Replaces the control database in `target`.
  private func copyControl(from source: String, to target: String) throws {
    let files = FileManager.default
    func names(_ folder: String) throws -> [String] {
      try files.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix("control.sqlite") }
    }
    for name in try names(target) { try files.removeItem(atPath: target + "/" + name) }
    for name in try names(source) {
      try files.copyItem(atPath: source + "/" + name, toPath: target + "/" + name)
    }
  }
}
