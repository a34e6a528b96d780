import Records

/// The messages of some rows in one shape.
struct EncodedRows {
  let bytes: [UInt8]
  /// Where each message ends in `bytes`.
  let ends: [Int]
  /// Of each message's record, rising.
  let positions: [Int64]

  /// - Parameter batch: What the shape reads, and `position`.
  init(_ batch: RecordBatch, shape: any LiveShape) {
    var bytes: [UInt8] = []
    var ends: [Int] = []
    ends.reserveCapacity(batch.rowCount)
    shape.encode(batch, into: &bytes, ends: &ends)
    invariant(
      ends.count == batch.rowCount && ends.last ?? 0 == bytes.count, "a shape makes one message a row")
    self.bytes = bytes
    self.ends = ends
    positions = batch.positions
  }

  var messageCount: Int { ends.count }

  func start(of message: Int) -> Int { message == 0 ? 0 : ends[message - 1] }

  /// The messages `ranges` as frames of at most `bytesMax` bytes, or of one message.
  func frames(_ ranges: [Range<Int>], bytesMax: Int, budget: LiveBudget?) -> [LiveFrame] {
    var frames: [LiveFrame] = []
    var pieces: [Range<Int>] = []
    var size = 0
    var count = 0
    var last = 0
    func close() {
      if count == 0 { return }
      frames.append(
        LiveFrame(
          bytes: joined(pieces, byteCount: size), messageCount: count, positionEnd: positions[last] + 1,
          budget: budget))
      pieces = []
      size = 0
      count = 0
    }
    for range in ranges {
      for message in range {
        let piece = start(of: message)..<ends[message]
        if size + piece.count > bytesMax { close() }
        if let before = pieces.last, before.upperBound == piece.lowerBound {
          pieces[pieces.count - 1] = before.lowerBound..<piece.upperBound
        } else {
          pieces.append(piece)
        }
        size += piece.count
        count += 1
        last = message
      }
    }
    close()
    return frames
  }

  private func joined(_ pieces: [Range<Int>], byteCount: Int) -> [UInt8] {
    // All of it: no copy.
    if byteCount == bytes.count { return bytes }
    var joined: [UInt8] = []
    joined.reserveCapacity(byteCount)
    for piece in pieces { joined.append(contentsOf: bytes[piece]) }
    return joined
  }
}

extension RecordBatch {
  /// The column `position`, which must be there.
  var positions: [Int64] {
    guard let column = column("position") else { bug("positions were asked for") }
    return column.withInt64 { span in span.indices.map { span[$0] } }
  }

  /// The named columns, of those that are there, sharing their memory.
  func projected(_ names: [String]) -> RecordBatch {
    let kept = fields.indices.filter { names.contains(fields[$0].name) }
    return RecordBatch(fields: kept.map { fields[$0] }, columns: kept.map { columns[$0] }, rowCount: rowCount)
  }
}
