import Codecs
import Columnar
import Records
import Shaping

/// What comes of a pipe first, until it tells what the pipe holds; from then on, what comes of it.
struct PipeOpening {
  /// So much tells it at the latest.
  private static let headBytesMax = 64 * 1024
  /// Of records that are no lines, the first must be whole within it.
  private static let lineBytesMax = 4 << 20

  let name: String
  let options: FileImport.Options
  /// What its records are; nil: lines.
  private(set) var listed: ListedRecords?
  private var head: [UInt8] = []
  private var isTold = false
  private var isOpen = false

  init(name: String, options: FileImport.Options) { (self.name, self.options) = (name, options) }

  /// - Parameter read: Empty: nothing more comes.
  /// - Returns: nil: what came does not tell it yet.
  /// - Throws: It is no text.
  mutating func take(_ read: [UInt8]) throws -> [UInt8]? {
    if isTold {
      return opened(read, atEnd: read.isEmpty)
    }
    head += read
    guard read.isEmpty || head.count >= PipeOpening.headBytesMax || head.contains(0x0A) else { return nil }
    try checkIsText()
    isTold = true
    listed = options.readsLists ? ListedRecords(head) : nil
    return opened(given(), atEnd: read.isEmpty)
  }

  /// Of records that are no lines the first must be whole: it tells what the others are.
  private mutating func opened(_ bytes: [UInt8], atEnd: Bool) -> [UInt8]? {
    guard let lines = listed?.decode(bytes, atEnd: atEnd) else { return bytes }
    if isOpen { return lines }
    head += lines
    guard atEnd || head.contains(0x0A) || head.count >= PipeOpening.lineBytesMax else { return nil }
    isOpen = true
    return given()
  }

  private mutating func given() -> [UInt8] {
    defer { head = [] }
    return head
  }

  private func checkIsText() throws {
    guard StreamDecompressor.Coding(head) == nil else {
      throw Failure("\(name) is compressed: name the file, or `zcat FILE | cordwood import -`")
    }
    let text = TextEncoding(head)
    guard !text.isUTF16 else {
      throw Failure(
        "\(name) is UTF-16: name the file, or `iconv -f utf-16 -t utf-8 FILE | cordwood import -`")
    }
    if !ExportLines.areIn(head) { try FileKind.checkIsText(head, text, name) }
  }
}
