import Codecs
import Records

/// What an import is known by on the server: the beginning of the text, whatever file it lies in, so that a
/// file is the same renamed, copied, compressed, or written anew by an editor; and in the note of each piece,
/// what shows that the text before its end is that of the file at hand (Docs/decisions/0045).
struct ImportIdentity: Sendable, Hashable {
  /// How much of the beginning names it: the longest that there is. A file that has grown is looked for under
  /// the shorter ones too.
  static let lengths = [4_096, 512, 64]
  static let headBytesMax = 4_096
  static let tailBytesMax = 256
  /// Texts of one beginning that are told apart.
  static let namesakesMax = 16

  private let target: String

  /// - Parameter target: Where it goes and what is made of lines.
  init(target: String) { self.target = target }

  /// The names it may have, the longest beginning first; none: there is no whole line yet.
  func names(_ head: [UInt8]) -> [String] {
    var names = ImportIdentity.lengths.filter { $0 <= head.count }.map { name(head[..<$0]) }
    if let end = head.firstIndex(of: 0x0A), end < 64 { names.append(name(head[...end])) }
    return names
  }

  /// Of the text that is the `number`th with a beginning, from 0.
  func name(_ name: String, _ number: Int) -> String { number == 0 ? name : "\(name)-\(number)" }

  private func name(_ beginning: ArraySlice<UInt8>) -> String {
    let bytes = Array("\(target)\u{0}\(beginning.count)\u{0}".utf8) + beginning
    let hashes = [0, 1].map { String(Hash64.xxh64(bytes, seed: $0), radix: 16) }
    return "import-" + hashes.joined(separator: "-")
  }

  /// What the server keeps of a piece: `v2.HEAD.TAIL.FORMAT`, hashes of the text's beginning and of its last
  /// bytes up to the piece's end, and what its lines were taken for.
  struct Note: Hashable {
    let head: String
    let tail: String
    let format: String

    init(head: ArraySlice<UInt8>, tail: ArraySlice<UInt8>, format: String) {
      self.head = Note.hash(head)
      self.tail = Note.hash(tail)
      self.format = format
    }

    init?(_ text: String) {
      let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
      guard parts.count == 4, parts[0].hasBytes(of: "v2") else { return nil }
      (head, tail, format) = (parts[1], parts[2], parts[3])
    }

    var text: String { "v2.\(head).\(tail).\(format)" }

    private static func hash(_ bytes: ArraySlice<UInt8>) -> String {
      String(Hash64.xxh64(Array(bytes), seed: 2) >> 16, radix: 16)
    }

    func hasBytes(of other: Note) -> Bool { head.hasBytes(of: other.head) && tail.hasBytes(of: other.tail) }
  }
}
