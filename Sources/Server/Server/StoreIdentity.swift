import Codecs
import Platform

/// The name of the store on this disk: made once, the same whatever address it is served at. Importers keep
/// their state by it.
enum StoreIdentity {
  /// Reads `DATA/identity`, made if missing. Blocks on the disk.
  static func loadOrMake(
    in directory: String, clock: any WallClock, fileSystem: any FileSystem = LocalFileSystem(),
    entropy: any EntropySource = SystemEntropy()
  ) throws(StartError) -> String {
    let path = directory + "/" + DataFiles.identity
    do throws(DiskError) {
      if try fileSystem.exists(path) {
        let file = try fileSystem.open(path, writable: false)
        let bytes = try file.read(at: 0, count: min(try file.size(), 36))
        let text = String(decoding: bytes, as: UTF8.self)
        guard UUIDv7.parse(text) != nil else {
          throw .failed(operation: .understand, path: path, offsetBytes: 0, code: 0)
        }
        return text
      }
      let id = UUIDv7.make(
        milliseconds: clock.now() / 1_000_000, random: (entropy.randomUInt64(), entropy.randomUInt64()))
      let text = UUIDv7.text(id)
      if try fileSystem.exists(path + ".new") { try fileSystem.remove(path + ".new") }
      let file = try fileSystem.create(path + ".new")
      try file.write(Array((text + "\n").utf8).span, at: 0)
      try file.sync()
      try fileSystem.rename(path + ".new", to: path)
      try fileSystem.syncDirectory(directory)
      return text
    } catch {
      throw .store("cannot read or write \(path): \(error)")
    }
  }
}
