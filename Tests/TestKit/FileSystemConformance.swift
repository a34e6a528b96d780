import Platform
import Records

/// What every ``FileSystem`` must do: run against the machine's and the simulated one, or the simulation
/// proves nothing. Each check works in an empty directory of its own and returns what it found wrong.
package final class FileSystemConformance {
  private let files: any FileSystem
  private let root: String
  private var problems: [String] = []

  private init(_ files: any FileSystem, root: String) {
    self.files = files
    self.root = root
  }

  /// Runs all checks below `root` (an existing directory); no texts when all is well.
  package static func problems(of files: any FileSystem, root: String) -> [String] {
    let suite = FileSystemConformance(files, root: root)
    suite.run("directories", suite.directories)
    suite.run("creation", suite.creation)
    suite.run("contents", suite.contents)
    suite.run("mappings", suite.mappings)
    suite.run("renaming", suite.renaming)
    suite.run("removal", suite.removal)
    suite.run("space", suite.space)
    return suite.problems
  }

  private func run(
    _ name: String, _ check: () throws(DiskError) -> Void
  ) {
    do throws(DiskError) { try check() } catch { problems.append("\(name): \(error)") }
  }

  private func expect(_ claim: Bool, _ text: String) {
    if !claim { problems.append(text) }
  }

  private func expectFailure(_ text: String, _ body: () throws(DiskError) -> Void) -> DiskError? {
    do throws(DiskError) {
      try body()
      problems.append("no error: \(text)")
      return nil
    } catch { return error }
  }

  private func expectCode(_ code: Int32, _ text: String, _ body: () throws(DiskError) -> Void) {
    let error = expectFailure(text, body)
    if case .failed(_, _, _, let found)? = error, found == code { return }
    if error != nil { problems.append("\(text): \(String(describing: error)) instead of errno \(code)") }
  }

  private func expectNotFound(_ text: String, _ body: () throws(DiskError) -> Void) {
    let error = expectFailure(text, body)
    if case .notFound? = error { return }
    if error != nil { problems.append("\(text): \(String(describing: error)) instead of notFound") }
  }

  private func directories() throws(DiskError) {
    let files = files
    let path = root + "/one/two/three"
    try files.createDirectory(path)
    try files.createDirectory(path)
    expect(try files.isDirectory(path), "a made directory is one")
    expect(try files.exists(root + "/one"), "parents are made")
    expect(try files.list(root + "/one") == ["two"], "a directory lists its children only")
    _ = try files.create(root + "/one/file")
    expect(try files.list(root + "/one") == ["file", "two"], "names are sorted")
    expect(try !files.isDirectory(root + "/one/file"), "a file is no directory")
    expectNotFound("list nothing") { () throws(DiskError) in _ = try files.list(path + "/none") }
    expectCode(20, "list a file") { () throws(DiskError) in _ = try files.list(root + "/one/file") }
    expectCode(39, "remove a full directory") { () throws(DiskError) in
      try files.removeDirectory(root + "/one")
    }
    try files.removeDirectory(path)
    expect(try !files.exists(path), "a removed directory is gone")
    try files.syncDirectory(root + "/one")
    expectNotFound("sync nothing") { () throws(DiskError) in try files.syncDirectory(path) }
  }

  private func creation() throws(DiskError) {
    let files = files
    let path = root + "/created"
    let file = try files.create(path)
    expect(try file.size() == 0, "a new file is empty")
    expect(try files.exists(path), "a created file exists")
    expectCode(17, "create twice") { () throws(DiskError) in _ = try files.create(path) }
    expectNotFound("open nothing") { () throws(DiskError) in
      _ = try files.open(root + "/none", writable: false)
    }
    expectNotFound("create in nothing") { () throws(DiskError) in
      _ = try files.create(root + "/none/file")
    }
    let reader = try files.open(path, writable: false)
    expectCode(9, "write to a file opened for reading") { () throws(DiskError) in
      try reader.write([1].span, at: 0)
    }
  }

  private func contents() throws(DiskError) {
    let path = root + "/contents"
    let file = try files.create(path)
    let bytes = (0..<2000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    try file.write(bytes.span, at: 0)
    expect(try file.read(at: 0, count: 2000) == bytes, "what was written is read")
    try file.write([9, 9].span, at: 5000)
    expect(try file.size() == 5002, "a write beyond the end grows the file")
    expect(try file.read(at: 1998, count: 4) == Array(bytes[1998...]) + [0, 0], "a gap reads as zeros")
    try file.write([1, 2, 3].span, at: 10)
    expect(try file.read(at: 9, count: 5) == [bytes[9], 1, 2, 3, bytes[13]], "a write replaces")
    expect(try file.size() == 5002, "a write inside does not grow")
    try file.write([UInt8]().span, at: 9000)
    expect(try file.size() == 5002, "writing nothing does nothing")
    expectCode(5, "read beyond the end") { () throws(DiskError) in _ = try file.read(at: 5000, count: 3) }
    expect(try file.read(at: 5002, count: 0).isEmpty, "reading nothing at the end")
    try file.sync()
    let again = try files.open(path, writable: true)
    expect(try again.read(at: 10, count: 3) == [1, 2, 3], "another handle sees the bytes")
  }

  private func mappings() throws(DiskError) {
    let files = files
    let path = root + "/mapped"
    let file = try files.create(path)
    let bytes = (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 13) }
    try file.write(bytes.span, at: 0)
    let whole = try file.map(0..<20_000)
    let part = try file.map(5001..<5004)
    expect(copied(whole) == bytes, "a mapping shows the file")
    expect(copied(part) == Array(bytes[5001..<5004]), "a mapping may start anywhere")
    try file.write([1, 2, 3].span, at: 5001)
    expect(copied(part) == [1, 2, 3], "a mapping shows later writes")
    expect(try file.map(7..<7).byteCount == 0, "an empty mapping")
    expectCode(22, "map beyond the end") { () throws(DiskError) in _ = try file.map(0..<20_001) }
    try files.remove(path)
    expect(copied(part) == [1, 2, 3], "a mapping outlives the file's name")
  }

  private func renaming() throws(DiskError) {
    let files = files
    let one = try files.create(root + "/one.txt")
    try one.write([1].span, at: 0)
    let two = try files.create(root + "/two.txt")
    try two.write([2].span, at: 0)
    try files.rename(root + "/one.txt", to: root + "/two.txt")
    expect(try !files.exists(root + "/one.txt"), "the old name is gone")
    let found = try files.open(root + "/two.txt", writable: false)
    expect(try found.read(at: 0, count: 1) == [1], "the target is replaced")
    expect(try two.read(at: 0, count: 1) == [2], "an open handle keeps the replaced file")
    expectNotFound("rename nothing") { () throws(DiskError) in
      try files.rename(root + "/none", to: root + "/x")
    }
    try files.createDirectory(root + "/folder/inner")
    try files.create(root + "/folder/inner/file").write([3].span, at: 0)
    try files.rename(root + "/folder", to: root + "/moved")
    expect(try !files.exists(root + "/folder"), "a moved directory is gone")
    let inner = try files.open(root + "/moved/inner/file", writable: false)
    expect(try inner.read(at: 0, count: 1) == [3], "a directory takes along what it holds")
    try identities()
    try files.syncDirectory(root)
  }

  private func identities() throws(DiskError) {
    let files = files
    let path = root + "/identified"
    expect(try files.identity(path) == nil, "nothing has no identity")
    let first = try files.create(path)
    let known = try files.identity(path)
    let again = try files.identity(path)
    expect(known != nil && known == again, "a file stays itself")
    try files.rename(path, to: path + ".old")
    expect(try files.identity(path + ".old") == known, "a renamed file stays itself")
    _ = try files.create(path)
    expect(try files.identity(path) != known, "a file of the same name is another")
    expect(try files.identity(root) == files.identity(root), "a directory stays itself")
    expect(try first.size() == 0, "the first is still open")
  }

  private func removal() throws(DiskError) {
    let files = files
    let path = root + "/removed"
    let file = try files.create(path)
    try file.write([5].span, at: 0)
    try files.remove(path)
    expect(try !files.exists(path), "a removed file is gone")
    expect(try file.read(at: 0, count: 1) == [5], "an open handle reads on")
    expectNotFound("remove twice") { () throws(DiskError) in try files.remove(path) }
    try files.createDirectory(root + "/directory")
    expectCode(21, "remove a directory as a file") { () throws(DiskError) in
      try files.remove(root + "/directory")
    }
  }

  private func space() throws(DiskError) {
    expect(try files.freeBytes(at: root) > 0, "some bytes are free")
    expect(try files.totalBytes(at: root) >= files.freeBytes(at: root), "no more are free than there are")
  }

  private func copied(_ buffer: Buffer) -> [UInt8] {
    buffer.withSpan(of: UInt8.self) { span in
      var bytes: [UInt8] = []
      bytes.reserveCapacity(span.count)
      for index in span.indices { bytes.append(span[index]) }
      return bytes
    }
  }
}
