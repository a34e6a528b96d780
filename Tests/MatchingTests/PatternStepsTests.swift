import Records
import Synchronization
import Testing

@testable import Matching

/// Text patterns whose automata grow without end look every millisecond, and end when nobody waits for them.
struct PatternStepsTests {
  /// Each byte leads to a state never seen before.
  static let dear = "(a|b)*a(a|b){200}c"
  static let rowCount = 8

  /// Counts how often work looks, and ends it after some looks.
  private final class Looks: WorkPace {
    private let state = Mutex<(count: Int, atEnd: (@Sendable () -> Void)?)>((0, nil))
    let most: Int
    var count: Int { state.withLock { $0.count } }

    init(most: Int) { self.most = most }

    func end(by cancel: @escaping @Sendable () -> Void) { state.withLock { $0.atEnd = cancel } }

    func pause() {
      let atEnd = state.withLock { state in
        state.count += 1
        return state.count == most ? state.atEnd : nil
      }
      atEnd?()
    }

    func expedite() {}
  }

  static func texts() -> Column {
    var random = SeededRandom(seed: 7)
    var builder = TextBuilder(capacity: rowCount)
    for _ in 0..<rowCount {
      var text: [UInt8] = []
      for _ in 0..<2_048 { text.append(random.next() & 1 == 0 ? 0x61 : 0x62) }
      builder.append(contentsOf: text.span)
      builder.endRow()
    }
    return builder.finish()
  }

  static func evaluate(_ predicate: Predicate, _ token: CancellationToken) throws -> Selection {
    let column = texts()
    var batch = EvaluationBatch(rowCount: rowCount, columns: ["message": .plain(column)])
    batch.cancellation = token
    return try CompiledPredicate(predicate, schema: Dataset.logs.schema).evaluate(batch)
  }

  static let predicate = Predicate.regex(ColumnPath("message"), pattern: dear, ignoreCase: false)

  /// Every millisecond, about: 16 KiB of text take more than 10 looks.
  @Test func dearPatternsLookOften() throws {
    let looks = Looks(most: .max)
    _ = try Self.evaluate(Self.predicate, CancellationToken(secondsMax: 0, pace: looks) { 0 })
    #expect(looks.count > 10)
  }

  @Test func dearPatternsEnd() throws {
    let looks = Looks(most: 5)
    let token = CancellationToken(secondsMax: 0, pace: looks) { 0 }
    looks.end { token.cancel() }
    _ = try Self.evaluate(Self.predicate, token)
    #expect(looks.count <= 8)
    #expect(throws: StoreError.cancelled) { try token.check() }
  }

  /// What all patterns of a query cost together is bounded.
  @Test func whatIsTooDearIsRefused() throws {
    let looks = Looks(most: .max)
    let token = CancellationToken(secondsMax: 0, patternStepsMax: 1 << 20, pace: looks) { 0 }
    _ = try Self.evaluate(.or([Self.predicate, .not(Self.predicate)]), token)
    #expect(looks.count <= 12)
    let error = #expect(throws: StoreError.self) { try token.check() }
    guard case .invalid(let text)? = error else { throw error ?? StoreError.cancelled }
    #expect(text.contains("text patterns"))
  }

  /// Short patterns over the same text cost its bytes, a few times.
  @Test func plainPatternsAreCheap() throws {
    let token = CancellationToken(secondsMax: 0, patternStepsMax: 1 << 20) { 0 }
    let plain = Predicate.regex(ColumnPath("message"), pattern: "[ab]c", ignoreCase: false)
    _ = try Self.evaluate(plain, token)
    try token.check()
  }
}
