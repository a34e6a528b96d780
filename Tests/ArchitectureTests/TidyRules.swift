import Foundation
import Testing

/// Style that a tool can check: sizes, words that need a reason, doc comments, links.
struct TidyRules {
  static let lineCountMax = 600

  /// CordwoodLogging has no Base below it, and nothing but a call of C tells the time of day.
  static let clock = "Sources/Client/CordwoodLogging/WallClock.swift"

  static func violations(in file: SourceTree.SourceFile) -> [String] {
    var found: [String] = []
    let lines = file.lines
    if lines.count > lineCountMax + 1 {
      found.append("\(file.path): \(lines.count) lines, limit \(lineCountMax)")
    }
    for (index, line) in lines.enumerated() {
      let place = "\(file.path):\(index + 1)"
      let code = codeOf(line)
      if code.contains("try!") || code.contains("fatalError(") || code.contains("nonisolated(unsafe)") {
        found.append("\(place): try!, fatalError and nonisolated(unsafe) are not used here")
      }
      if line.contains("TODO") || line.contains("FIXME") {
        found.append("\(place): an open end needs an issue, not a comment")
      }
      if code.contains("@unchecked Sendable") {
        let following = lines[index...min(index + 3, lines.count - 1)].joined(separator: "\n")
        if !following.contains("Safe because") {
          found.append("\(place): @unchecked Sendable without `// Safe because …` under it")
        }
      }
      if code.range(of: "\\btry\\?", options: .regularExpression) != nil, !line.contains("//"),
        index == 0 || !lines[index - 1].contains("//")
      {
        found.append("\(place): try? without a reason beside it")
      }
      if file.group != "Base", file.path != clock, words(of: code).contains("unsafe") {
        found.append("\(place): unsafe outside Base")
      }
      if isUndocumentedType(lines, at: index) {
        found.append("\(place): a package or public type without a doc comment")
      }
    }
    return found
  }

  private static func codeOf(_ line: Substring) -> Substring {
    guard let comment = line.range(of: "//") else { return line }
    return line[..<comment.lowerBound]
  }

  private static func words(of code: Substring) -> [Substring] {
    code.split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "@" || $0 == "\"") }
  }

  private static func isUndocumentedType(_ lines: [Substring], at index: Int) -> Bool {
    let line = lines[index]
    guard line.hasPrefix("package ") || line.hasPrefix("public ") else { return false }
    let kinds = [" struct ", " enum ", " class ", " protocol ", " actor ", " func "]
    guard kinds.contains(where: { line.contains($0) }) else { return false }
    var above = index - 1
    while above >= 0, lines[above].hasPrefix("@") { above -= 1 }
    return above < 0 || !(lines[above].hasPrefix("///") || lines[above].hasSuffix("*/"))
  }

  @Test func sourcesAreTidy() throws {
    let found = try SourceTree.sources().flatMap(TidyRules.violations)
    #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
  }

  @Test(arguments: [
    "let a = try! open()", "fatalError()", "// TODO later", "final class A: @unchecked Sendable {}",
    "let b = try? read()", "let c = unsafe pointer[0]", "package struct Bare {}",
  ])
  func aBrokenRuleIsSeen(line: String) {
    let file = SourceTree.SourceFile(path: "Sources/Store/Storage/A.swift", text: "\n" + line + "\n")
    #expect(!TidyRules.violations(in: file).isEmpty)
  }

  @Test func aLongFileIsSeen() {
    let text = String(repeating: "\n", count: TidyRules.lineCountMax + 2)
    let file = SourceTree.SourceFile(path: "Sources/Base/Records/A.swift", text: text)
    #expect(!TidyRules.violations(in: file).isEmpty)
  }
}

/// Every relative link and every path in backquotes that looks like a file of the project resolves.
struct LinkRules {
  static func brokenLinks(in file: SourceTree.SourceFile) -> [String] {
    let folder = (SourceTree.root + "/" + file.path as NSString).deletingLastPathComponent
    return targets(in: file.text).compactMap { target in
      let path = String(target.split(separator: "#", omittingEmptySubsequences: false)[0])
      if path.isEmpty || path.contains("://") || path.hasPrefix("mailto:") { return nil }
      return FileManager.default.fileExists(atPath: folder + "/" + path) ? nil : "\(file.path): \(target)"
    }
  }

  static func targets(in text: String) -> [String] {
    var found: [String] = []
    var rest = Substring(text)
    while let open = rest.range(of: "](") {
      rest = rest[open.upperBound...]
      guard let close = rest.firstIndex(of: ")") else { break }
      found.append(String(rest[..<close]))
    }
    return found
  }

  @Test func linksResolve() throws {
    let documents =
      try SourceTree.files(below: "Docs", ending: ".md")
      + ["README.md", "ARCHITECTURE.md"].map { name in
        SourceTree.SourceFile(
          path: name, text: try String(contentsOfFile: SourceTree.root + "/" + name, encoding: .utf8))
      }
    #expect(documents.count >= 2)
    let broken = documents.flatMap(LinkRules.brokenLinks)
    #expect(broken.isEmpty, "\(broken.joined(separator: "\n"))")
  }

  @Test func aBrokenLinkIsSeen() {
    let file = SourceTree.SourceFile(path: "README.md", text: "see [there](Docs/none.md)")
    #expect(LinkRules.brokenLinks(in: file).count == 1)
  }
}
