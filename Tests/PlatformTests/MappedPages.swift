import Foundation

/// What of a file is mapped and in memory.
enum MappedPages {
  /// Bytes of the file that this process's mappings of it have in memory, as the system counts them.
  static func residentBytes(of path: String) throws -> Int {
    // The system's path has no links and no slash twice.
    let end = path.split(separator: "/").suffix(2).joined(separator: "/")
    let text = try String(contentsOfFile: "/proc/self/smaps", encoding: .utf8)
    var bytes = 0
    var isOfFile = false
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count >= 5, words[0].contains("-") { isOfFile = line.hasSuffix(end) }
      if isOfFile, words.first == "Rss:", let kilobytes = Int(words[1]) { bytes += kilobytes * 1_024 }
    }
    return bytes
  }
}
