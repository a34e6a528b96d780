import Records
import Synchronization

/// The pages' bytes behind the head. Each is compared with its checksum when it is first used.
struct TextIndexSections: Sendable {
  static let histograms = 0
  static let identifiers = 1
  static let words = 2

  let count: Int
  private let bytes: Buffer
  private let pageCount: Int
  private let directoryStart: Int
  /// Where section i starts; section i + 1 starts where it ends.
  private let starts: [Int]
  private let checked: CheckedPages

  init(_ bytes: Buffer, head: TextIndexHead) throws(TextIndexError) {
    self.bytes = bytes
    count = TextIndexLayout.fixedSectionCount + head.nestedColumns.count
    pageCount = head.pageCount
    directoryStart = head.directoryStart
    var starts = [head.byteCount]
    var end = head.byteCount
    for section in 0..<count where pageCount > 0 {
      let last =
        head.directoryStart + (section * pageCount + pageCount - 1) * TextIndexLayout.directoryEntryByteCount
      let length = bytes.withSpan(of: UInt8.self) { span in
        var reader = ByteCursor(position: last)
        return reader.integer(UInt64.self, in: span) ?? .max
      }
      guard length <= UInt64(bytes.byteCount - end) else { throw .corrupt("directory: section \(section)") }
      end += Int(length)
      starts.append(end)
    }
    guard end == bytes.byteCount else { throw .corrupt("length") }
    self.starts = starts
    checked = CheckedPages(count: count * pageCount)
  }

  /// Bytes of a section, of all pages together.
  func byteCount(of section: Int) -> Int { pageCount == 0 ? 0 : starts[section + 1] - starts[section] }

  /// Hands over the bytes of a page in a section.
  func withPage<R>(
    _ page: Int, of section: Int, _ body: (Span<UInt8>) throws(TextIndexError) -> R
  ) throws(TextIndexError) -> R {
    invariant(page >= 0 && page < pageCount && section < count, "a page of the index")
    let number = section * pageCount + page
    let entry = directoryStart + number * TextIndexLayout.directoryEntryByteCount
    return try bytes.withSpan(of: UInt8.self) { (span) throws(TextIndexError) -> R in
      var start: UInt64 = 0
      if page > 0 {
        var before = ByteCursor(position: entry - TextIndexLayout.directoryEntryByteCount)
        start = before.integer(UInt64.self, in: span) ?? .max
      }
      var reader = ByteCursor(position: entry)
      guard let end = reader.integer(UInt64.self, in: span), let sum = reader.integer(UInt64.self, in: span),
        start <= end,
        end <= UInt64(starts[section + 1] - starts[section])
      else { throw .corrupt("page \(page): directory") }
      let part = span.extracting(starts[section] + Int(start)..<starts[section] + Int(end))
      if !checked.contains(number) {
        guard TextIndexLayout.checksum(part) == sum else {
          throw .corrupt("page \(page), section \(section): checksum")
        }
        checked.insert(number)
      }
      return try body(part)
    }
  }
}

/// Which pages have been compared with their checksum.
final class CheckedPages: Sendable {
  private let bits: Mutex<[UInt64]>

  init(count: Int) { bits = Mutex([UInt64](repeating: 0, count: (count + 63) >> 6)) }

  func contains(_ number: Int) -> Bool {
    bits.withLock { $0[number >> 6] & 1 << UInt64(number & 63) != 0 }
  }

  func insert(_ number: Int) {
    bits.withLock { $0[number >> 6] |= 1 << UInt64(number & 63) }
  }
}
