import APIs
import Decoding
import Platform
import Records
import Routing
import Testing

/// What long bodies cost those who ask for something else.
@Suite struct LongBodyTests {
  @Test(.timeLimit(.minutes(1))) func longBodiesHoldUpNobody() async throws {
    let budget = UploadBudget(bytesMax: 1 << 20)
    let store = RecordStoring(
      sink: FakeStore(), seal: testSeal, metrics: HTTPMetrics(uploads: budget, datasets: []),
      bodyBytesMax: 1 << 20)
    let body = [UInt8](repeating: 0x20, count: 100_000)
    let gate = Gate()
    let readers = (0..<8).map { _ in
      Task {
        try await store.decoding(body) { body, _ throws(Problem) -> Int in
          gate.wait()
          return body.count
        }
      }
    }
    // On the shared pool they would hold all threads, and nobody came this far.
    while budget.usedBytes < 800_000 { await Task.yield() }
    #expect(await Task { 7 }.value == 7)
    let refusal = await #expect(throws: Problem.self) {
      try await store.decoding([UInt8](repeating: 0x20, count: 300_000)) { body, _ throws(Problem) in
        body.count
      }
    }
    #expect(refusal?.status == 503 && refusal?.retryAfterSeconds == 1)
    // Trees are taken from the same budget; short bodies are read where they are.
    let short = try await store.decoding([1]) { _, memory throws(Problem) -> Bool in
      (try? memory.take(300_000)) == nil
    }
    #expect(short)
    gate.open()
    for reader in readers { #expect(try await reader.value == 100_000) }
    #expect(budget.usedBytes == 0)
  }

  @Test func aShortageIsNoFaultOfTheBody() {
    #expect(Problem(ValidationFailure(.momentary)).status == 503)
    #expect(Problem(ValidationFailure(.momentary)).retryAfterSeconds == 1)
    #expect(Problem(ValidationFailure(.lasting)).status == 413)
  }
}
