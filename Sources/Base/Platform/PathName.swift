import Records

/// Paths as texts.
package enum PathName {
  /// The directory that holds `path`: `.` where it names none.
  package static func directory(of path: String) -> String {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}

extension FileSystem {
  /// `path`, or with the lowest number behind it of which there is nothing yet.
  package func unusedName(_ path: String) throws(DiskError) -> String {
    var name = path
    for number in 1..<10_000 where try exists(name) { name = "\(path).\(number)" }
    return name
  }
}
