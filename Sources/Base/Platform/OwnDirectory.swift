import Glibc

/// Why a data directory is not one to trust: somebody else can change what is in it, or has.
package struct OwnDirectoryFault: Error, Sendable, Hashable, CustomStringConvertible {
  /// The directory, or the file in it.
  package let path: String
  /// The sentence's end.
  package let reason: String
  /// What is wrong with what, and what to do.
  package var description: String { "\(path) \(reason)" }
}

/// A directory that belongs to the process alone, as PostgreSQL asks for of its own: who else can write to it
/// decides what the server reads, and where it writes.
package enum OwnDirectory {
  /// Directories whose files are looked at, besides those of the directory itself.
  private static let looked = ["journal", "blocks"]

  /// Looks at the directory and at what is in it, two levels deep. Nothing is wrong with one that is not
  /// there.
  ///
  /// - Parameter path: May be a link itself: it is the operator's word.
  /// - Throws: Not the process's own, writable by others, or a link where a file or directory belongs.
  package static func check(_ path: String) throws(OwnDirectoryFault) {
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
    try checkOwner(path, status)
    guard status.st_mode & 0o022 == 0 else {
      throw OwnDirectoryFault(path: path, reason: "can be written by other users: chmod 700 \(path)")
    }
    try checkEntries(of: path)
    for name in looked { try checkEntries(of: path + "/" + name) }
  }

  /// Whether others than the owner may read it; false if it is not there.
  package static func isReadableByOthers(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & 0o055 != 0
  }

  private static func checkOwner(_ path: String, _ status: stat) throws(OwnDirectoryFault) {
    guard status.st_uid == geteuid() else {
      throw OwnDirectoryFault(
        path: path, reason: "belongs to user \(status.st_uid), and this process is user \(geteuid())")
    }
  }

  private static func checkEntries(of path: String) throws(OwnDirectoryFault) {
    // What cannot be listed is missing, or told by whoever opens it.
    let names = (try? LocalFileSystem().list(path)) ?? []
    for name in names {
      let inside = path + "/" + name
      var status = stat()
      guard unsafe lstat(inside, &status) == 0 else { continue }
      guard status.st_mode & S_IFMT != S_IFLNK else {
        throw OwnDirectoryFault(path: inside, reason: "is a link, where the server keeps files of its own")
      }
      try checkOwner(inside, status)
    }
  }
}
