import Codecs
import Records
import Shaping

/// A request's worth of an input, whatever made it.
struct ImportPiece: Sendable {
  var body: [UInt8]
  /// The bytes of the input it stands for.
  var range: Range<Int>
  /// Where in the input each record begins.
  var offsets: [Int]
  /// Lines that cannot be records.
  var refusals: [Refusal] = []
  var cuts = LineCuts()
  /// Records that are not of the file's format.
  var unparsedCount = 0
  var timesUnreadCount = 0
  /// Records that are older than was asked for.
  var earlyCount = 0

  struct Refusal: Sendable {
    let range: Range<Int>
    let reason: String
  }
}

/// Makes pieces of what it is fed.
protocol PieceMaker: AnyObject {
  /// Bytes fed that are in no piece yet.
  var carryBytes: Int { get }
  func feed(_ bytes: [UInt8])
  func next(_ mode: PieceMode) -> ImportPiece?
}

/// How much of what was fed makes a piece.
enum PieceMode {
  /// What fills one.
  case full
  /// What there is, but the last record, which may go on.
  case live
  /// All whole lines.
  case idle
  /// Everything.
  case end
}

/// Lines of any format, for the dataset `logs`.
final class ShapedPieces: PieceMaker {
  private var records: LineRecords

  init(_ format: LineFormat, _ options: LineRecords.Options, offset: Int) {
    records = LineRecords(format, options, offset: offset)
  }

  var carryBytes: Int { records.carryBytes }

  func feed(_ bytes: [UInt8]) { records.feed(bytes) }

  func next(_ mode: PieceMode) -> ImportPiece? {
    let batch: LineBatch? =
      switch mode {
      case .full: records.next(atEnd: false)
      case .live: records.next(atEnd: false, isLive: true)
      case .idle: records.next(atEnd: false, isIdle: true)
      case .end: records.next(atEnd: true)
      }
    return batch.map { batch in
      ImportPiece(
        body: batch.body, range: batch.range, offsets: batch.places.map(\.range.lowerBound),
        refusals: batch.refusals.map { ImportPiece.Refusal(range: $0.place.range, reason: $0.reason) },
        cuts: LineCuts(count: batch.cutCount, firstOffset: batch.firstCutOffset),
        unparsedCount: batch.unparsedCount, timesUnreadCount: batch.timesUnreadCount,
        earlyCount: batch.earlyCount)
    }
  }
}

/// Lines as a dataset or a session has them: records as they are, or messages.
final class PlainPieces: PieceMaker {
  private var batcher: LineBatcher
  private let members: (() -> [UInt8])?

  /// - Parameter members: Asked for anew for each piece.
  init(_ batcher: consuming LineBatcher, members: (() -> [UInt8])? = nil) {
    self.batcher = batcher
    self.members = members
  }

  var carryBytes: Int { batcher.carryBytes }

  func feed(_ bytes: [UInt8]) {
    batcher.feed(bytes)
    if let members { batcher.members = members() }
  }

  func next(_ mode: PieceMode) -> ImportPiece? {
    let batch: ImportBatch? =
      switch mode {
      case .full: batcher.next(atEnd: false)
      case .live, .idle: batcher.next(atEnd: false, isLive: true)
      case .end: batcher.next(atEnd: true)
      }
    return batch.map {
      ImportPiece(body: $0.body, range: $0.range, offsets: $0.offsets, cuts: $0.cuts)
    }
  }
}
