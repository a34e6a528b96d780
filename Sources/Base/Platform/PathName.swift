import Records

/// Paths as texts.
package enum PathName {
  /// The directory that holds `path`: `.` where it names none.
  package static func directory(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// What ``directory(of:)`` has under that name.
  package static func last(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return path }
    return String(path[path.utf8.index(after: slash)...])
  }
}

extension FileSystem {
  /// `path`, or with the lowest number behind it of which there is nothing yet.
  package func unusedName(_ path: String) throws(DiskError) -> String {
    guard try exists(path) else { return path }
    var number = 1
    while try exists("\(path).\(number)") { number += 1 }
    return "\(path).\(number)"
  }
}
