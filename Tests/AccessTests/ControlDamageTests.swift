import Foundation
import GRDB
import Glibc
import Platform
import Testing

@testable import Access

/// Bits that turn in the control database and in SQLite's log are found; what crashes leave is none of them.
@Suite struct ControlDamageTests {
  private let folder: String
  private var path: String { folder + "/control.sqlite" }

  init() throws {
    folder = NSTemporaryDirectory() + "cordwood-damage-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  private func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Files as a killed server leaves them: the database and the log of `count` changes.
  private func killed(_ count: Int) async throws -> (database: Data, log: Data) {
    let source = folder + "/source.sqlite"
    let database = try ControlDatabase(path: source)
    for number in 0..<count { try await database.settings.set("setting-\(number)", to: "value") }
    let files = (try read(source), try read(source + "-wal"))
    try database.close()
    return files
  }

  private func read(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

  private func put(_ files: (database: Data, log: Data)) throws {
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasPrefix("control.") {
      try FileManager.default.removeItem(atPath: folder + "/" + name)
    }
    try files.database.write(to: URL(fileURLWithPath: path))
    try files.log.write(to: URL(fileURLWithPath: path + "-wal"))
  }

  /// Where each frame of the log begins, and whether it ends a change.
  private func frames(_ log: Data) -> [(offset: Int, isCommit: Bool)] {
    let pageBytes = log[8..<12].reduce(0) { $0 << 8 | Int($1) }
    return stride(from: 32, to: log.count - 23, by: pageBytes + 24).map { offset in
      (offset, log[offset + 4..<offset + 8].contains { $0 != 0 })
    }
  }

  @Test func aBitInTheLogThatTurnsIsFound() async throws {
    defer { remove() }
    let files = try await killed(12)
    try put(files)
    #expect(try ControlDamage.findings(in: path).isEmpty)
    #expect(try ControlLog(of: path).takenBytes == files.log.count)
    let frames = frames(files.log)
    let commits = frames.filter(\.isCommit)
    #expect(commits.count > 12)
    // Of the last change nobody can tell whether it was cut off.
    let last = commits[commits.count - 2].offset
    for (offset, _) in frames where offset <= last {
      // The page's number, the commit's mark, a salt, the checksum, the page.
      for place in [1, 6, 9, 17, 23, 24, 2000] {
        var damaged = files
        damaged.log[offset + place] ^= 0x10
        try put(damaged)
        let findings = try ControlDamage.findings(in: path)
        #expect(findings.map(\.isDamage) == [true], "byte \(offset + place)")
        #expect(findings.map(\.offsetBytes) == [offset], "byte \(offset + place)")
        #expect(findings.map(\.file) == [path + "-wal"])
      }
    }
    for place in 0..<32 {
      var damaged = files
      damaged.log[place] ^= 0x01
      try put(damaged)
      #expect(try ControlDamage.findings(in: path).map(\.isDamage) == [true], "byte \(place) of the header")
    }
    let error = await accessError { _ = try ControlDatabase(path: path) }
    guard case .database(let reason) = error else {
      Issue.record("it opened: \(String(describing: error))")
      return
    }
    #expect(reason.contains(path + "-wal, byte 0: "), "\(reason)")
    #expect(try read(path + "-wal").count == files.log.count, "nothing was changed")
  }

  @Test func aLogThatWasCutIsNotDamaged() async throws {
    defer { remove() }
    let files = try await killed(5)
    let frames = frames(files.log)
    for (offset, _) in frames.suffix(8) {
      for place in [0, 10, 24, 1000] {
        try put((files.database, files.log.prefix(offset + place)))
        #expect(try ControlDamage.findings(in: path).allSatisfy { !$0.isDamage }, "\(offset + place)")
      }
      // A page that did not reach the disk, in the last change.
      guard let before = frames.filter(\.isCommit).dropLast().last, offset > before.offset else { continue }
      var torn = files
      torn.log.replaceSubrange(offset..<offset + 24, with: Data(count: 24))
      try put(torn)
      #expect(try ControlDamage.findings(in: path).allSatisfy { !$0.isDamage }, "\(offset)")
    }
    try put((files.database, Data()))
    #expect(try ControlDamage.findings(in: path).isEmpty)
    try put((files.database, files.log.prefix(32)))
    #expect(try ControlDamage.findings(in: path).isEmpty)
  }

  /// What a power cut leaves of a change behind the log's end is written over bit by bit, by changes whose
  /// frames have the same salts.
  @Test func whatAPowerCutLeftBehindTheEndIsNotDamage() async throws {
    defer { remove() }
    let source = folder + "/source.sqlite"
    let database = try ControlDatabase(path: source)
    for number in 0..<5 { try await database.settings.set("setting-\(number)", to: "value") }
    let value = String(repeating: "v", count: 3000)
    try await database.change("change many pages") { database in
      for number in 0..<20 {
        try database.execute(
          sql: "INSERT INTO settings (name, value) VALUES (?, ?)", arguments: ["many-\(number)", value])
      }
    }
    var files = (database: try read(source), log: try read(source + "-wal"))
    try database.close()
    let first = try #require(frames(files.log).filter(\.isCommit).dropLast().last).offset
    let torn = try #require(frames(files.log).first { $0.offset > first }).offset
    #expect(frames(files.log).count { $0.offset > torn } > 15)
    // Its first page is not on the disk, all others are.
    files.log.replaceSubrange(torn..<torn + 24, with: Data(count: 24))
    for round in 0..<4 {
      try put(files)
      #expect(try ControlDamage.findings(in: path).allSatisfy { !$0.isDamage }, "round \(round)")
      let again = try ControlDatabase(path: path)
      try await again.settings.set("after-\(round)", to: "value")
      files = (try read(path), try read(path + "-wal"))
      try again.close()
    }
  }

  @Test func aBitInTheDatabaseThatTurnsAfterAStopIsFound() async throws {
    defer { remove() }
    let database = try ControlDatabase(path: path)
    for number in 0..<50 { try await database.settings.set("setting-\(number)", to: "value") }
    try database.close()
    let whole = try read(path)
    /// What a disk does, which leaves the file's time as it was.
    func rot(_ bytes: Data) throws {
      var times = stat()
      #expect(stat(path, &times) == 0)
      let file = open(path, O_WRONLY)
      defer { Glibc.close(file) }
      let written = Array(bytes)
      #expect(ftruncate(file, 0) == 0 && write(file, written, written.count) == written.count)
      #expect(futimens(file, [times.st_atim, times.st_mtim]) == 0)
    }
    #expect(try ControlDamage.findings(in: path).isEmpty)
    for place in stride(from: 0, to: whole.count, by: 999) {
      var damaged = whole
      damaged[place] ^= 0x04
      try rot(damaged)
      let findings = try ControlDamage.findings(in: path)
      #expect(findings.map(\.offsetBytes) == [place / 4096 * 4096], "byte \(place)")
      #expect(findings.map(\.isDamage) == [true])
      #expect(await accessError { _ = try ControlDatabase(path: path) } != nil)
    }
    for size in [0, 4096, whole.count - 1] {
      try rot(whole.prefix(size))
      #expect(try ControlDamage.findings(in: path).map(\.isDamage) == [true], "\(size) bytes")
    }
    try rot(whole + Data([0]))
    #expect(try ControlDamage.findings(in: path).map(\.offsetBytes) == [whole.count])
    try rot(whole)
    try ControlDatabase(path: path).close()
    #expect(try ControlDamage.findings(in: path).isEmpty)
    // A version that knows no checksums, or somebody by hand.
    try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: path)
    #expect(try ControlDamage.findings(in: path).isEmpty)
    try ControlDatabase(path: path).close()
    // Damage of the checksums is told, and keeps nobody from opening.
    let sum = try read(path + ".sum")
    for place in [0, 9, 20, 30, 40, sum.count - 1] {
      var damaged = sum
      damaged[place] ^= 1
      try damaged.write(to: URL(fileURLWithPath: path + ".sum"))
      #expect(try ControlDamage.findings(in: path).map(\.isDamage) == [false])
    }
    try ControlDatabase(path: path).close()
    #expect(try ControlDamage.findings(in: path).isEmpty)
  }

  /// A tool beside a server: the checksums are the last one's.
  @Test func onlyWhoClosesItLastWritesTheChecksums() async throws {
    defer { remove() }
    let server = try ControlDatabase(path: path)
    let tool = try ControlDatabase(path: path)
    try await tool.settings.set("tool", to: "value")
    try tool.close()
    #expect(!FileManager.default.fileExists(atPath: path + ".sum"))
    try await server.settings.set("server", to: "value")
    try server.close()
    #expect(FileManager.default.fileExists(atPath: path + ".sum"))
    #expect(try ControlDamage.findings(in: path).isEmpty)
    let next = try ControlDatabase(path: path)
    #expect(!FileManager.default.fileExists(atPath: path + ".sum"), "it may change from now on")
    try next.close()
  }

  @Test func theLossIsAcceptedUpToTheDamage() async throws {
    defer { remove() }
    let files = try await killed(12)
    let commits = frames(files.log).filter(\.isCommit)
    var damaged = files
    damaged.log[commits[commits.count - 4].offset + 100] ^= 1
    try put(damaged)
    let kept = folder + "/kept"
    try FileManager.default.createDirectory(atPath: kept, withIntermediateDirectories: true)
    try ControlRepair.accept(path, copiesIn: kept)
    #expect(try read(kept + "/control.sqlite-wal") == damaged.log)
    #expect(try read(kept + "/control.sqlite") == files.database)
    let database = try ControlDatabase(path: path)
    #expect(try await database.settings.value(of: "setting-7", orElse: "none") == "value")
    #expect(try await database.settings.value(of: "setting-8", orElse: "none") == "none")
    try database.close()
    #expect(try ControlDamage.findings(in: path).isEmpty)
  }
}
