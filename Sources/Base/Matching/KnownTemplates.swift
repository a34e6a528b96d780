import Synchronization

/// What an automaton says of templates, for all blocks of a scan: most have the same ones.
final class KnownTemplates: Sendable {
  typealias Verdicts = [[TemplatePiece]: Verdict]

  /// Bytes of the templates that are remembered, about: the first ones that come.
  private static let bytesMax = 1 << 20

  private let state = Mutex<(verdicts: Verdicts, bytes: Int)>(([:], 0))

  /// All that is known.
  var verdicts: Verdicts { state.withLock { $0.verdicts } }

  /// Adds what was found out.
  func add(_ more: Verdicts) {
    guard !more.isEmpty else { return }
    state.withLock { state in
      for (pieces, verdict) in more where state.bytes < KnownTemplates.bytesMax {
        if state.verdicts.updateValue(verdict, forKey: pieces) == nil {
          state.bytes += KnownTemplates.bytes(of: pieces)
        }
      }
    }
  }

  private static func bytes(of pieces: [TemplatePiece]) -> Int {
    pieces.reduce(128) { sum, piece in
      if case .literal(let bytes) = piece { sum + bytes.count + 48 } else { sum + 48 }
    }
  }
}
