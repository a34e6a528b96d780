import Foundation
import GRDB
import Platform
import Testing

@testable import Access

/// Copies of the control database beside a server that changes it.
@Suite struct ControlCopyTests {
  private let folder: String

  init() throws {
    folder = NSTemporaryDirectory() + "cordwood-copy-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  @Test func aCopyHasWhatWasCommittedAndIsOneFile() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let source = folder + "/control.sqlite"
    let database = try ControlDatabase(path: source)
    for number in 0..<20 { try await database.settings.set("setting-\(number)", to: "value") }
    let target = folder + "/copy.sqlite"
    #expect(try ControlCopy.make(of: source, at: target))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder)
    #expect(names.filter { $0.hasPrefix("copy") } == ["copy.sqlite"])
    #expect(PrivateFile.isOpenToOthers(target) == false)
    // The server goes on, and its copy is a control database.
    try await database.settings.set("later", to: "value")
    let copy = try ControlDatabase(path: target)
    #expect(try await copy.settings.value(of: "setting-19", orElse: "none") == "value")
    #expect(try await copy.settings.value(of: "later", orElse: "none") == "none")
    try copy.close()
    try database.close()
    let closed = folder + "/closed.sqlite"
    #expect(try ControlCopy.make(of: source, at: closed))
  }

  @Test func withoutADatabaseThereIsNoCopy() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(try !ControlCopy.make(of: folder + "/control.sqlite", at: folder + "/copy.sqlite"))
    #expect(!FileManager.default.fileExists(atPath: folder + "/copy.sqlite"))
  }

  @Test func aDamagedDatabaseIsNotCopied() async throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let source = folder + "/control.sqlite"
    let database = try ControlDatabase(path: source)
    let value = String(repeating: "v", count: 99)
    for number in 0..<200 { try await database.settings.set("setting-\(number)", to: value) }
    try database.close()
    let queue = try DatabaseQueue(path: source)
    try await queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
    try queue.close()
    var bytes = try Data(contentsOf: URL(fileURLWithPath: source))
    for page in stride(from: 4096, to: bytes.count, by: 4096) {
      bytes.replaceSubrange(page..<page + 64, with: Data(repeating: 0xA5, count: 64))
    }
    try bytes.write(to: URL(fileURLWithPath: source))
    #expect(throws: AccessError.self) { _ = try ControlCopy.make(of: source, at: folder + "/copy.sqlite") }
  }
}
