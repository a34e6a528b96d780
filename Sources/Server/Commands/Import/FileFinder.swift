import Foundation

/// The files that the arguments of an import name: themselves, those in folders, those that a pattern fits.
enum FileFinder {
  /// In an order in which rotated files come before those that came after them: `a.log.2.gz`, `a.log.1`,
  /// `a.log`.
  ///
  /// - Throws: A folder or a pattern in which there is nothing.
  static func files(_ arguments: [String]) throws -> [String] {
    var found: [String] = []
    for argument in arguments {
      if argument.utf8.elementsEqual("-".utf8) {
        found.append(argument)
        continue
      }
      if let isFolder = isFolder(argument) {
        found += isFolder ? try inside(argument) { _ in true } : [argument]
      } else if argument.utf8.contains(where: { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }) {
        found += try fitting(argument)
      } else {
        found.append(argument)
      }
    }
    var seen: Set<Data> = []
    return found.filter { seen.insert(Data($0.utf8)).inserted }
  }

  /// Whether it is a folder, or a link to one; nil: there is nothing.
  private static func isFolder(_ path: String) -> Bool? {
    let place = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    // Whatever keeps it from being looked at, opening it will say.
    return try? place.resourceValues(forKeys: [.isDirectoryKey]).isDirectory
  }

  private static func inside(_ folder: String, _ fits: (String) -> Bool) throws -> [String] {
    guard let all = FileManager.default.enumerator(atPath: folder) else {
      throw Failure("cannot read the folder \(folder)")
    }
    var found: [String] = []
    while let entry = all.nextObject() as? String {
      let path = folder + (folder.utf8.last == UInt8(ascii: "/") ? "" : "/") + entry
      let name = entry.utf8.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? []
      guard name.first != UInt8(ascii: "."), fits(path) else { continue }
      // Links that lead nowhere are left out.
      if isFolder(path) == false { found.append(path) }
    }
    guard !found.isEmpty else { throw Failure("there are no files in \(folder)") }
    return found.sorted { RotationKey($0) < RotationKey($1) }
  }

  /// `*` and `?` stand for anything but a slash, `**` for anything.
  private static func fitting(_ pattern: String) throws -> [String] {
    let bytes = Array(pattern.utf8)
    let star = bytes.firstIndex { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") } ?? bytes.count
    let slash = bytes[..<star].lastIndex(of: UInt8(ascii: "/"))
    let folder = slash.map { String(decoding: bytes[..<max($0, 1)], as: UTF8.self) } ?? "."
    let wanted = slash == nil ? Array("./".utf8) + bytes : bytes
    do {
      return try inside(folder) { FilePattern.fits(wanted[...], Array($0.utf8)[...]) }
    } catch { throw Failure("no file fits \(pattern)") }
  }
}

enum FilePattern {
  static func fits(_ pattern: ArraySlice<UInt8>, _ path: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return path.isEmpty }
    let rest = pattern.dropFirst()
    switch first {
    case UInt8(ascii: "*"):
      let isDeep = rest.first == UInt8(ascii: "*")
      let behind = isDeep ? rest.dropFirst() : rest
      var at = path.startIndex
      while true {
        if fits(behind, path[at...]) { return true }
        guard at < path.endIndex, isDeep || path[at] != UInt8(ascii: "/") else { return false }
        at += 1
      }
    case UInt8(ascii: "?"):
      guard let byte = path.first, byte != UInt8(ascii: "/") else { return false }
      return fits(rest, path.dropFirst())
    default: return path.first == first && fits(rest, path.dropFirst())
    }
  }
}

/// Orders files by their name without what rotation puts behind it, the oldest of one name first.
struct RotationKey: Comparable {
  private let name: [UInt8]
  private let number: Int

  init(_ path: String) {
    var bytes = Array(path.utf8)
    for ending in [".gz", ".zst"] where bytes.reversed().starts(with: ending.utf8.reversed()) {
      bytes.removeLast(ending.utf8.count)
    }
    let digits = Array(bytes.reversed().prefix { $0 &- 0x30 < 10 }.reversed())
    let isRotated =
      (1...9).contains(digits.count) && bytes.count > digits.count + 1
      && bytes[bytes.count - digits.count - 1] == UInt8(ascii: ".")
    number = isRotated ? digits.reduce(0) { $0 * 10 + Int($1 & 15) } : 0
    name = isRotated ? Array(bytes.dropLast(digits.count + 1)) : bytes
  }

  static func < (left: RotationKey, right: RotationKey) -> Bool {
    guard left.name == right.name else { return left.name.lexicographicallyPrecedes(right.name) }
    // Numbers that are dates grow with time, those of a rotation shrink.
    let isDate = left.number > 99_999 || right.number > 99_999
    return isDate ? left.dated < right.dated : left.number > right.number
  }

  /// The file without a number is the one being written.
  private var dated: Int { number == 0 ? .max : number }
}
