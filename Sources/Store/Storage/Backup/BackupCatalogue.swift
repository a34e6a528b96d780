import Codecs
import Journaling
import Records

/// What a backup holds (Docs/formats/backup.md): whatever it does not name does not belong to it.
package struct BackupCatalogue: Sendable, Hashable {
  /// A file of the backup.
  package struct Entry: Sendable, Hashable {
    /// Below the backup's folder.
    package var name: String
    /// Of the file.
    package var byteCount: Int
    /// CRC-32C of all its bytes.
    package var checksum: UInt32
  }

  /// Within the backup's folder.
  package static let fileName = "backup.json"
  static let format = "cordwood-backup"
  static let version = 1

  /// Of the program that made the backup.
  package var program = ""
  /// When it was begun to be read that the backup is of, ns since 1970.
  package var madeAt: Int64 = 0
  /// The store's identity.
  package var store = StoreID.none
  /// How often the store had been opened for writing.
  package var epoch: UInt64 = 0
  /// How many edits its manifest had.
  package var generation: UInt64 = 0
  /// Where its journal ended.
  package var journalEnd = JournalOffset(segment: 0, byte: 0)
  /// The folder of what belongs to this backup alone.
  package var state = ""
  /// One behind the last position of each tenant.
  package var nextPositions: [String: Int64] = [:]
  /// By name.
  package var files: [Entry] = []

  /// Nothing yet.
  package init() {}

  /// Bytes of all files.
  package var byteCount: Int { files.reduce(0) { $0 + $1.byteCount } }
}

// As text
extension BackupCatalogue {
  /// The last line: a checksum of all lines before it.
  private static let checksumStart = Array("\"crc32c\":\"".utf8)
  private static let checksumEnd = Array("\"}\n".utf8)

  /// The text of the file; the same for equal catalogues.
  package var text: [UInt8] {
    var writer = JSONWriter(capacity: 4096 + files.count * 128)
    writer.append(raw: "{\"format\":\"\(BackupCatalogue.format)\",\"version\":\(BackupCatalogue.version)")
    for (name, text) in [
      ("program", program), ("made_at", RFC3339.string(madeAt)), ("store", Hex.text(store.bytes)),
      ("state", state),
    ] {
      writer.append(raw: ",\n\"\(name)\":")
      writer.appendString(Array(text.utf8).span)
    }
    writer.append(raw: ",\n\"epoch\":\(epoch),\"generation\":\(generation)")
    writer.append(raw: ",\n\"journal\":{\"segment\":\(journalEnd.segment),\"byte\":\(journalEnd.byte)}")
    writer.append(raw: ",\n\"bytes\":\(byteCount),\n\"positions\":[")
    for (index, tenant) in nextPositions.keys.sorted().enumerated() {
      writer.append(raw: index > 0 ? ",\n{\"tenant\":" : "\n{\"tenant\":")
      writer.appendString(Array(tenant.utf8).span)
      writer.append(raw: ",\"next\":\(nextPositions[tenant] ?? 0)}")
    }
    writer.append(raw: "],\n\"files\":[")
    for (index, entry) in files.sorted(by: { $0.name < $1.name }).enumerated() {
      writer.append(raw: index > 0 ? ",\n{\"name\":" : "\n{\"name\":")
      writer.appendString(Array(entry.name.utf8).span)
      writer.append(
        raw: ",\"bytes\":\(entry.byteCount),\"crc32c\":\"\(BackupCatalogue.digits(entry.checksum))\"}")
    }
    writer.append(raw: "],\n")
    var bytes = writer.takeBytes()
    let checksum = CRC32C.checksum(bytes)
    bytes += BackupCatalogue.checksumStart + Array(BackupCatalogue.digits(checksum).utf8)
    return bytes + BackupCatalogue.checksumEnd
  }

  /// Reads the text of the file `path`.
  ///
  /// - Throws: `.corrupt` unless it is a whole catalogue whose names stay within the backup's folder,
  ///   `.laterVersion`.
  package init(_ text: [UInt8], path: String) throws(StoreError) {
    let tail = BackupCatalogue.checksumStart.count + 8 + BackupCatalogue.checksumEnd.count
    let body = text.prefix(max(0, text.count - tail))
    let expected =
      BackupCatalogue.checksumStart
      + Array(BackupCatalogue.digits(CRC32C.checksum(Array(body))).utf8) + BackupCatalogue.checksumEnd
    guard text.suffix(tail).elementsEqual(expected) else {
      let reason = "the catalogue's checksum is wrong, or its end is missing"
      throw .corrupt(file: path, offsetBytes: body.count, reason: reason)
    }
    let tree: JSONTree
    do throws(JSONTree.SyntaxError) { tree = try JSONTree(parsing: text) } catch {
      throw .corrupt(file: path, offsetBytes: error.offsetBytes, reason: error.reason)
    }
    guard case .string(BackupCatalogue.format)? = tree["format"], case .int64(let version)? = tree["version"]
    else { throw .corrupt(file: path, offsetBytes: 0, reason: "this is no backup's catalogue") }
    if version > BackupCatalogue.version { throw .laterVersion(file: path, version: Int(version)) }
    guard read(tree) else {
      throw .corrupt(file: path, offsetBytes: 0, reason: "the catalogue lacks what a catalogue has")
    }
  }

  /// Whether all was there.
  private mutating func read(_ tree: JSONTree) -> Bool {
    guard case .string(let program)? = tree["program"], case .string(let time)? = tree["made_at"],
      let madeAt = RFC3339.parse(time), case .string(let hex)? = tree["store"], let bytes = Hex.bytes(hex),
      let store = StoreID(bytes: bytes), case .string(let state)? = tree["state"],
      BackupCatalogue.isSafe(state), case .int64(let epoch)? = tree["epoch"],
      case .int64(let generation)? = tree["generation"],
      case .int64(let segment)? = tree["journal"]?["segment"],
      case .int64(let byte)? = tree["journal"]?["byte"], let number = UInt32(exactly: segment),
      case .array(let positions)? = tree["positions"], case .array(let files)? = tree["files"],
      epoch >= 0, generation >= 0
    else { return false }
    (self.program, self.madeAt, self.store, self.state) = (program, madeAt, store, state)
    (self.epoch, self.generation) = (UInt64(epoch), UInt64(generation))
    journalEnd = JournalOffset(segment: number, byte: Int(byte))
    for position in positions {
      guard case .string(let tenant)? = position["tenant"], case .int64(let next)? = position["next"] else {
        return false
      }
      nextPositions[tenant] = next
    }
    for file in files {
      guard case .string(let name)? = file["name"], case .int64(let count)? = file["bytes"], count >= 0,
        case .string(let digits)? = file["crc32c"], let checksum = UInt32(digits, radix: 16),
        BackupCatalogue.isSafe(name)
      else { return false }
      self.files.append(Entry(name: name, byteCount: Int(count), checksum: checksum))
    }
    return Set(self.files.map(\.name)).count == self.files.count
  }

  /// Whether the name stays below the folder it is looked up in.
  private static func isSafe(_ name: String) -> Bool {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    return parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." } && !name.utf8.contains(0)
  }

  /// Eight hexadecimal digits.
  private static func digits(_ checksum: UInt32) -> String {
    Hex.text((0..<4).map { UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * $0)) })
  }
}
