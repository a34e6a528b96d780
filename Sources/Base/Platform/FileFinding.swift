import Records

/// Something found while files are checked, with file and byte.
package struct FileFinding: Sendable, Hashable {
  /// Its path.
  package var file: String
  /// Where in the file; 0 if it concerns all of it.
  package var offsetBytes: Int
  /// For people.
  package var reason: String
  /// false: nothing that was acknowledged is lost; a start puts it right.
  package var isDamage: Bool

  /// A finding.
  package init(file: String, offsetBytes: Int, reason: String, isDamage: Bool) {
    self.file = file
    self.offsetBytes = offsetBytes
    self.reason = reason
    self.isDamage = isDamage
  }
}
