import Codecs
import Shaping

/// Files whose records are no lines, as lines of JSON.
enum ListedRecords {
  case export(ExportLines)
  case list(ListLines)

  /// Told by a file's first bytes; nil: its records are lines.
  init?(_ head: [UInt8]) {
    if ExportLines.areIn(head) {
      self = .export(ExportLines())
    } else if ListLines.areIn(head) {
      self = .list(ListLines())
    } else {
      return nil
    }
  }

  /// What they are, for people.
  var name: String {
    switch self {
    case .export: "entries of a journal"
    case .list: "elements of a list"
    }
  }

  /// Whether they are in the columns of `logs` already.
  var areRecords: Bool { if case .export = self { true } else { false } }

  /// Whether a list has begun and not ended.
  var isOpen: Bool { if case .list(let lines) = self { lines.isOpen } else { false } }

  /// What is wrong behind all that was decoded, for people; nothing comes then.
  var fault: String? { if case .export(let lines) = self { lines.fault?.reason } else { nil } }

  /// What the bytes hold of lines.
  mutating func decode(_ bytes: [UInt8], atEnd: Bool) -> [UInt8] {
    switch self {
    case .list(var lines):
      // Its state is no more than a few words.
      defer { self = .list(lines) }
      return lines.decode(bytes, atEnd: atEnd)
    case .export(var lines):
      // One reference to what it keeps.
      self = .list(ListLines())
      defer { self = .export(lines) }
      return lines.decode(bytes, atEnd: atEnd)
    }
  }
}
