import Foundation

/// The project's files as text, for the tests that keep its rules.
struct SourceTree {
  struct SourceFile {
    /// From the package root: `Sources/Base/Records/Column.swift`.
    let path: String
    let text: String

    var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    /// `Base`, `Store`, … for a file below Sources. TestKit, which lies below Tests, is a group of its own,
    /// and so are the decoders in the APIs' folders, which know nothing of the edge.
    var group: String { isEntryDecoding ? "EntryDecoding" : String(path.split(separator: "/")[1]) }
    var module: String { isTestKit || isEntryDecoding ? group : String(path.split(separator: "/")[2]) }
    private var isTestKit: Bool { path.hasPrefix("Tests/TestKit/") }
    private var isEntryDecoding: Bool {
      let parts = path.split(separator: "/")
      return path.hasPrefix("Sources/Edge/APIs/") && parts.count > 5 && parts[4] == "Decoding"
    }
  }

  static let root: String = {
    let file = URL(fileURLWithPath: #filePath)
    return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
  }()

  static func files(below folder: String, ending: String) throws -> [SourceFile] {
    let base = root + "/" + folder
    guard let walker = FileManager.default.enumerator(atPath: base) else { return [] }
    var files: [SourceFile] = []
    while let name = walker.nextObject() as? String {
      if name.hasPrefix(".build") || name.contains("/.build") { continue }
      guard name.hasSuffix(ending) else { continue }
      let text = try String(contentsOfFile: base + "/" + name, encoding: .utf8)
      files.append(SourceFile(path: folder + "/" + name, text: text))
    }
    return files.sorted { $0.path < $1.path }
  }

  /// What tests are made of, and what they test: the files that the rules are for.
  static func sources() throws -> [SourceFile] {
    try files(below: "Sources", ending: ".swift") + files(below: "Tests/TestKit", ending: ".swift")
  }
}
