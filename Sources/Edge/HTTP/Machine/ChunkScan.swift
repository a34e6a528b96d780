/// Follows the chunks of one body (RFC 9112, §7.1) to learn a chunk's size when it is announced: the decoder
/// tells of bytes as they come, and not how many are to come.
///
/// Looks at the lines between chunks alone. What is no chunk is the decoder's to refuse: from there on
/// nothing is followed.
struct ChunkScan: Sendable {
  private enum Place {
    /// In the digits of a size.
    case size(Int, digitCount: Int)
    /// Behind them, to the line's end.
    case sizeEnd(Int)
    /// In the data, with so many bytes to come.
    case data(Int)
    /// Before the line end that closes the data.
    case dataEnd
    /// Behind the last chunk, or where no chunk is.
    case done
  }

  private var place = Place.size(0, digitCount: 0)

  /// Bytes that the chunk at hand announced and that did not come yet.
  var bytesToCome: Int {
    switch place {
    case .sizeEnd(let count), .data(let count): count
    case .size, .dataEnd, .done: 0
    }
  }

  /// Takes the next bytes of the body in.
  mutating func take(_ bytes: some RandomAccessCollection<UInt8>) {
    var at = bytes.startIndex
    while at < bytes.endIndex {
      switch place {
      case .done: return
      case .data(let count):
        let taken = min(count, bytes.distance(from: at, to: bytes.endIndex))
        bytes.formIndex(&at, offsetBy: taken)
        place = taken == count ? .dataEnd : .data(count - taken)
      default:
        step(bytes[at])
        bytes.formIndex(after: &at)
      }
    }
  }

  private mutating func step(_ byte: UInt8) {
    switch place {
    case .size(let count, let digitCount):
      if let digit = ChunkScan.digit(byte) {
        let (next, isOver) = count.multipliedReportingOverflow(by: 16)
        place = isOver ? .sizeEnd(.max) : .size(next + digit, digitCount: digitCount + 1)
      } else {
        place = digitCount == 0 ? .done : .sizeEnd(count)
        if digitCount > 0 { step(byte) }
      }
    case .sizeEnd(let count): if byte == 10 { place = count == 0 ? .done : .data(count) }
    case .dataEnd: if byte == 10 { place = .size(0, digitCount: 0) } else if byte != 13 { place = .done }
    case .data, .done: break
    }
  }

  private static func digit(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
    default: nil
    }
  }
}
