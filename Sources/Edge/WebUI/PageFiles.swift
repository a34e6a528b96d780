import CWebUI
import Records
import Routing

/// The page's files as they are in the binary.
package struct PageFiles: Sendable {
  /// By name; `index.html` is the page itself.
  package let contents: [Name: [UInt8]]

  /// Those of this binary.
  package static let embedded: PageFiles = {
    let files = (0..<cwebui_files_count()).map { cwebui_files_byte($0) }
    let list = (0..<cwebui_list_count()).map { cwebui_list_byte($0) }
    return PageFiles(names: names(in: String(decoding: list, as: UTF8.self)), bytes: files)
  }()

  /// - Parameter bytes: Of all, in the names' order, a zero behind each.
  init(names: [String], bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast()
    invariant(parts.count == names.count, "files.inc has a file a line, and no file has a zero or is empty")
    contents = Dictionary(zip(names.map { Name($0) }, parts.map { Array($0) })) { _, last in last }
  }

  /// The names that `#embed` lines have.
  static func names(in list: String) -> [String] {
    list.parts(at: "\n").compactMap { line in
      guard line.hasBytes(from: "#embed \"../page/") else { return nil }
      return String(Substring(line.utf8.dropFirst(16).prefix { $0 != UInt8(ascii: "\"") }))
    }
  }
}
