import Codecs
import Records

/// The framing of Docs/formats/manifest.md.
enum ManifestFrame {
  static let fileHeaderBytes = 16
  static let headerBytes = 32
  static let version: UInt8 = 2
  private static let fileMagic = Array("CWMF".utf8)
  private static let magic = Array("EDIT".utf8)

  static var fileHeader: [UInt8] { fileHeader(of: version) }

  static func fileHeader(of version: UInt8) -> [UInt8] {
    var bytes = fileMagic + [version, 0, 0, 0]
    bytes.append(littleEndian: CRC32C.checksum(bytes))
    return bytes + [0, 0, 0, 0]
  }

  /// The version of a file that starts with a whole header; nil: it does not.
  static func version(of file: [UInt8]) -> UInt8? {
    guard file.count >= fileHeaderBytes, file[4] > 0,
      file.starts(with: fileHeader(of: file[4]))
    else { return nil }
    return file[4]
  }

  /// A frame with its padding. An empty payload makes a mark.
  static func encode(_ payload: [UInt8], place: Int, number: UInt64) -> [UInt8] {
    var tail: [UInt8] = []
    tail.append(littleEndian: UInt64(place))
    tail.append(littleEndian: number)
    tail.append(littleEndian: UInt32(payload.count))
    tail.append(littleEndian: UInt32(0))
    tail += payload
    var frame = magic
    frame.append(littleEndian: CRC32C.checksum(tail))
    frame += tail
    frame += [UInt8](repeating: 0, count: -frame.count & 7)
    return frame
  }

  struct Parsed {
    var number: UInt64
    var payload: Range<Int>
    /// Where the next frame starts.
    var end: Int
  }

  /// The frame at `place`, or nil if there is no valid one of this place.
  static func parse(_ bytes: [UInt8], at place: Int) -> Parsed? {
    guard place + headerBytes <= bytes.count, bytes[place..<place + 4].elementsEqual(magic),
      bytes.littleEndian(UInt64.self, at: place + 8) == UInt64(place)
    else { return nil }
    let length = Int(bytes.littleEndian(UInt32.self, at: place + 24))
    let payload = place + headerBytes..<place + headerBytes + length
    guard payload.upperBound <= bytes.count else { return nil }
    let checked = CRC32C.checksum(bytes.span.extracting(place + 8..<payload.upperBound))
    guard checked == bytes.littleEndian(UInt32.self, at: place + 4) else { return nil }
    return Parsed(
      number: bytes.littleEndian(UInt64.self, at: place + 16), payload: payload,
      end: min((payload.upperBound + 7) & ~7, bytes.count))
  }
}

/// What reading a manifest file from its start gives.
struct ManifestScan {
  private(set) var state = ManifestState()
  /// Number of the last edit.
  private(set) var number: UInt64 = 0
  /// How many edits count.
  private(set) var editCount = 0
  /// Whether there are bytes behind the last valid frame that are not zero.
  private(set) var hasTornEdit = false
  /// The first frame's end whose padding is not zero: damage that changes nothing but says the disk is not
  /// sound.
  private(set) var damagedPadding: Int?
  /// Behind the last valid frame: where a torn edit is cut off and the next goes.
  private(set) var end = ManifestFrame.fileHeaderBytes

  /// - Throws: `.corrupt` when bytes that were durable are not valid.
  init(_ bytes: [UInt8], path: String, registry: Registry = .standard) throws(StoreError) {
    guard let version = ManifestFrame.version(of: bytes) else {
      throw .corrupt(file: path, offsetBytes: 0, reason: "no manifest starts here")
    }
    if version > ManifestFrame.version { throw .laterVersion(file: path, version: Int(version)) }
    while let frame = ManifestFrame.parse(bytes, at: end) {
      let isMark = frame.payload.isEmpty
      guard frame.number == (isMark ? number : number + 1) else {
        throw .corrupt(file: path, offsetBytes: end, reason: "edit \(frame.number) after \(number)")
      }
      if !isMark {
        do throws(ManifestCodingError) {
          try state.apply(ManifestCoding.decode(Array(bytes[frame.payload]), registry: registry))
        } catch {
          if error.isUnknown { throw .laterVersion(file: path, version: Int(version)) }
          throw .corrupt(
            file: path, offsetBytes: frame.payload.lowerBound + error.offsetBytes, reason: error.reason)
        }
        editCount += 1
      }
      if damagedPadding == nil, bytes[frame.payload.upperBound..<frame.end].contains(where: { $0 != 0 }) {
        damagedPadding = frame.payload.upperBound
      }
      number = frame.number
      end = frame.end
    }
    hasTornEdit = bytes[end...].contains { $0 != 0 }
    try checkTail(bytes, path: path)
  }

  /// A valid frame behind the cut proves that the bytes at the cut were durable: damage, not a torn edit.
  private func checkTail(_ bytes: [UInt8], path: String) throws(StoreError) {
    var place = end + 8
    while place + ManifestFrame.headerBytes <= bytes.count {
      if ManifestFrame.parse(bytes, at: place) != nil {
        throw .corrupt(
          file: path, offsetBytes: end, reason: "a broken edit before the valid one at byte \(place)")
      }
      place += 8
    }
  }
}
