import Foundation
import Platform
import Testing

/// Whose a data directory must be.
@Suite struct OwnDirectoryTests {
  private func make() throws -> String {
    let path = NSTemporaryDirectory() + "cordwood-own-\(UUID().uuidString)"
    for folder in ["", "/journal", "/blocks"] {
      try FileManager.default.createDirectory(atPath: path + folder, withIntermediateDirectories: true)
    }
    try Data().write(to: URL(fileURLWithPath: path + "/manifest"))
    chmod(path, 0o700)
    return path
  }

  private func fault(_ path: String) -> OwnDirectoryFault? {
    do throws(OwnDirectoryFault) {
      try OwnDirectory.check(path)
      return nil
    } catch { return error }
  }

  @Test func itsOwnIsTaken() throws {
    let path = try make()
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect(fault(path) == nil && fault(path + "/none") == nil)
    #expect(!OwnDirectory.isReadableByOthers(path))
    let link = path + "-link"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
    defer { try? FileManager.default.removeItem(atPath: link) }
    #expect(fault(link) == nil, "where the directory is is the operator's word")
    chmod(path, 0o755)
    #expect(fault(path) == nil && OwnDirectory.isReadableByOthers(path))
  }

  @Test(arguments: [0o720, 0o702, 0o777] as [mode_t])
  func othersMayNotWrite(mode: mode_t) throws {
    let path = try make()
    defer { try? FileManager.default.removeItem(atPath: path) }
    chmod(path, mode)
    #expect(fault(path)?.path == path)
  }

  @Test(arguments: ["/control.sqlite", "/journal/00000001.seg", "/blocks/native-0"])
  func linksAreRefused(name: String) throws {
    let path = try make()
    defer { try? FileManager.default.removeItem(atPath: path) }
    try FileManager.default.createSymbolicLink(atPath: path + name, withDestinationPath: "/etc/passwd")
    #expect(fault(path)?.path == path + name)
  }

  /// As root alone can give files away.
  @Test(.enabled(if: geteuid() == 0)) func anothersFilesAreRefused() throws {
    let path = try make()
    defer { try? FileManager.default.removeItem(atPath: path) }
    chown(path + "/manifest", 12_345, 12_345)
    #expect(fault(path)?.path == path + "/manifest")
    chown(path, 12_345, 12_345)
    #expect(fault(path)?.path == path)
  }

  @Test func aFileIsNotMadeThroughALink() throws {
    let path = try make()
    defer { try? FileManager.default.removeItem(atPath: path) }
    let system = LocalFileSystem()
    try FileManager.default.createSymbolicLink(
      atPath: path + "/blocks/new", withDestinationPath: path + "/elsewhere")
    #expect(throws: DiskError.self) { _ = try system.create(path + "/blocks/new") }
    #expect(!FileManager.default.fileExists(atPath: path + "/elsewhere"))
  }
}
