import Testing

/// Who may import whom (the import table of ARCHITECTURE.md).
struct ImportRules {
  static let groupsAllowed: [String: Set<String>] = [
    "Base": ["Base"],
    "Inbound": ["Base", "Inbound"],
    "Store": ["Base", "Store"],
    "Outbound": ["Base", "Outbound"],
    "EntryDecoding": ["Base", "Inbound"],
    "Edge": ["Base", "Inbound", "EntryDecoding", "Outbound", "Edge"],
    "Server": ["Base", "Inbound", "EntryDecoding", "Store", "Outbound", "Edge", "Server"],
    "TestKit": ["Base", "TestKit"],
    // What other programs are given: nothing of the server.
    "Client": ["Client"],
  ]

  /// Libraries from outside, and the groups or modules that may use them; everything else is refused.
  static let librariesAllowed: [String: Set<String>] = [
    "Synchronization": ["Base", "Inbound", "Store", "Outbound", "Edge", "Server", "TestKit", "Client"],
    "Glibc": ["Base", "Server", "TestKit", "Client"], "Musl": ["Client"], "Darwin": ["Client"],
    // For what of Unicode it has and does not yet offer to all.
    "Swift": ["Records"],
    "Foundation": ["Server"], "FoundationEssentials": ["Server"],
    "NIOCore": ["HTTP", "Server", "Client"], "NIOPosix": ["HTTP", "Server"],
    "NIOHTTP1": ["HTTP", "Server", "Client"],
    "NIOWebSocket": ["HTTP"], "NIOHTTP2": ["HTTP"], "NIOTLS": ["HTTP"],
    "Logging": ["Edge", "Server", "Client"],
    "NIOSSL": ["HTTP"], "GRDB": ["Edge"], "Crypto": ["Edge"], "CryptoExtras": ["Edge"],
    "ServiceLifecycle": ["Server", "Client"], "Yams": ["Server"], "ArgumentParser": ["Server"],
    "AsyncHTTPClient": ["Server", "Client"],
  ]

  /// Imports that one place of a folder may have and the rest of it may not.
  static let placesAllowed: [(imported: String, folder: String, place: String)] = [
    ("GRDB", "Sources/", "Sources/Edge/Access/SQLite/"),
    ("Storage", "Sources/Server/Server/", "Sources/Server/Server/LocalStore.swift"),
    ("Journaling", "Sources/Server/Server/", "Sources/Server/Server/LocalStore.swift"),
    ("Archiving", "Sources/Server/Server/", "Sources/Server/Server/LocalStore.swift"),
    ("Blocks", "Sources/Server/Server/", "Sources/Server/Server/LocalStore.swift"),
    ("Glibc", "Sources/Client/", "Sources/Client/CordwoodLogging/WallClock.swift"),
  ]

  static func imports(of text: String) -> [String] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ").map(String.init)
      guard let index = words.firstIndex(of: "import"), index + 1 < words.count else { return nil }
      let before = words[..<index]
      guard
        before.allSatisfy({ $0.hasPrefix("@") || ["public", "package", "internal", "private"].contains($0) })
      else { return nil }
      let kinds: Set<String> = ["struct", "class", "enum", "func", "protocol", "typealias"]
      let name =
        kinds.contains(words[index + 1]) && index + 2 < words.count ? words[index + 2] : words[index + 1]
      return String(name.split(separator: ".")[0])
    }
  }

  static func violations(in files: [SourceTree.SourceFile]) -> [String] {
    let groupOfModule = Dictionary(
      files.map { ($0.module, $0.group) }, uniquingKeysWith: { first, _ in first }
    )
    .merging(["CArrow": "Base", "CWebUI": "Edge"]) { first, _ in first }
    return files.flatMap { file in
      imports(of: file.text).compactMap { imported -> String? in
        let narrow = placesAllowed.first { $0.imported == imported && file.path.hasPrefix($0.folder) }
        if let narrow, !file.path.hasPrefix(narrow.place) {
          return "\(file.path) imports \(imported): only \(narrow.place) may"
        }
        if let group = groupOfModule[imported] {
          if imported == "CWebUI", file.module != "WebUI" {
            return "\(file.path) imports CWebUI: only WebUI may"
          }
          if imported == "CArrow", file.group != "Base" {
            return "\(file.path) imports CArrow: only Base may"
          }
          let allowed = groupsAllowed[file.group]?.contains(group) ?? false
          return allowed ? nil : "\(file.path) (\(file.group)) imports \(imported) (\(group))"
        }
        let users = librariesAllowed[imported] ?? []
        let allowed = users.contains(file.group) || users.contains(file.module)
        return allowed ? nil : "\(file.path) (\(file.group)) imports the library \(imported)"
      }
    }
  }

  @Test func sourcesKeepTheImportTable() throws {
    let files = try SourceTree.sources()
    #expect(files.count > 20, "the sources were found")
    let found = ImportRules.violations(in: files)
    #expect(found.isEmpty, "\(found.joined(separator: "\n"))")
  }

  /// A connection's machine is pure: all of NIO is in its shell.
  @Test func theConnectionMachineKnowsNoNIO() throws {
    let machine = try SourceTree.sources().filter { $0.path.contains("Sources/Edge/HTTP/Machine/") }
    #expect(machine.count > 5, "the machine was found")
    for file in machine {
      let found = ImportRules.imports(of: file.text).filter { $0.hasPrefix("NIO") }
      #expect(found.isEmpty, "\(file.path) imports \(found)")
    }
  }

  @Test func aBrokenRuleIsSeen() {
    let files = [
      SourceTree.SourceFile(path: "Sources/Edge/APIs/A.swift", text: "import Storage\nimport NIOCore\n"),
      SourceTree.SourceFile(
        path: "Sources/Edge/APIs/X/Decoding/A.swift", text: "import Routing\nimport Records\n"),
      SourceTree.SourceFile(path: "Sources/Edge/Routing/R.swift", text: "import Routing\n"),
      SourceTree.SourceFile(path: "Sources/Edge/APIs/X/A.swift", text: "import EntryDecoding\n"),
      SourceTree.SourceFile(path: "Sources/Store/Storage/B.swift", text: "internal import NIOCore\n"),
      SourceTree.SourceFile(path: "Sources/Base/Records/C.swift", text: "import struct APIs.Thing\n"),
      SourceTree.SourceFile(path: "Sources/Outbound/Querying/D.swift", text: "import CArrow\n"),
      SourceTree.SourceFile(path: "Sources/Store/Journaling/E.swift", text: "import TestKit\n"),
      SourceTree.SourceFile(path: "Tests/TestKit/F.swift", text: "import Records\nimport Storage\n"),
      SourceTree.SourceFile(path: "Sources/Edge/Access/G.swift", text: "import GRDB\n"),
      SourceTree.SourceFile(path: "Sources/Server/Server/H.swift", text: "import Storage\n"),
      SourceTree.SourceFile(path: "Sources/Edge/Access/SQLite/I.swift", text: "import GRDB\n"),
      SourceTree.SourceFile(path: "Sources/Server/Server/LocalStore.swift", text: "import Storage\n"),
      SourceTree.SourceFile(path: "Sources/Client/CordwoodLogging/J.swift", text: "import Records\n"),
      SourceTree.SourceFile(path: "Sources/Client/CordwoodLogging/K.swift", text: "import Foundation\n"),
    ]
    #expect(ImportRules.violations(in: files).count == 12)
  }
}
