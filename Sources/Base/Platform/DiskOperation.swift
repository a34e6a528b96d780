/// What was asked of the disk when it refused. The raw value is the words of an error's text.
package enum DiskOperation: String, Sendable, Hashable, CaseIterable, CustomStringConvertible {
  case createDirectory = "create directory"
  case openDirectory = "open directory"
  case removeDirectory = "remove directory"
  case syncDirectory = "sync directory"
  case list
  case create
  case open
  case openLock = "open lock"
  case lock
  case look = "look at"
  /// Looking for a directory under the name it had.
  case recognize = "recognize"
  case measure
  case read
  /// Reading gave bytes, and they are not what belongs there.
  case understand
  case write
  case map
  case sync
  case rename
  case remove

  /// The words: `sync directory`.
  package var description: String { rawValue }

  /// Whether it makes something durable that was written before.
  package var isSync: Bool {
    switch self {
    case .sync, .syncDirectory: true
    case .createDirectory, .openDirectory, .removeDirectory, .list, .create, .open, .openLock, .lock, .look,
      .recognize, .measure, .read, .understand, .write, .map, .rename, .remove:
      false
    }
  }
}
