import Records
import Synchronization
import TestKit
import Testing

@testable import Forwarding

@Suite struct WindowTests {
  @Test func windowsAreTheLowestPositionsInOrder() throws {
    var random = SeededGenerator(seed: 5)
    for _ in 0..<30 {
      let store = FakeStore(blockRows: Int.random(in: 1...300, using: &random))
      let a = tenant("a")
      store.append(
        numbered(0..<Int.random(in: 1...1000, using: &random)) { entry, number in
          entry.timestamp = Int64.random(in: 0...1_000_000, using: &random)
          entry.message = "m\(number)" + String(repeating: "x", count: Int.random(in: 0...50, using: &random))
        }, to: a)
      let modulus = Int64.random(in: 2...9, using: &random)
      if Bool.random(using: &random) { store.delete(a) { $0.position % modulus != 0 } }
      let reader = WindowReader(dataset: .logs, mapping: .logs)
      let rows = store.rows(a)
      var start: Int64 = 0
      var read: [Int64] = []
      while start < store.positionEnd(of: a) {
        let bounds = WindowBounds(
          span: Int64.random(in: 1...400, using: &random), rowsMax: Int.random(in: 1...200, using: &random),
          bytesMax: Int.random(in: 1...10_000, using: &random))
        let window = try reader.read(
          store.snapshot(of: Partition(tenant: a, dataset: .logs)), from: start, bounds: bounds)
        #expect(window.coveredEnd > start && window.coveredEnd - start <= bounds.span)
        #expect(window.rowCount <= bounds.rowsMax)
        let expected = rows.filter { (start..<window.coveredEnd).contains($0.position) }
        #expect(window.positions == expected.map(\.position))
        for (row, entry) in expected.enumerated() {
          #expect(window.timestamp(row) == entry.timestamp && window.id(row) == entry.id)
        }
        read += window.positions
        start = window.coveredEnd
      }
      #expect(read == rows.map(\.position))
    }
  }

  @Test func blocksBehindTheWindowAreNotRead() throws {
    let store = FakeStore(blockRows: 100)
    let a = tenant("a")
    store.append(numbered(0..<10_000), to: a)
    let reader = WindowReader(dataset: .logs, mapping: .logs)
    let window = try reader.read(
      store.snapshot(of: Partition(tenant: a, dataset: .logs)), from: 0,
      bounds: WindowBounds(span: 100_000, rowsMax: 100, bytesMax: 1 << 20))
    #expect(window.rowCount == 100 && window.coveredEnd == 100)
    #expect(store.state.withLock(\.rowsGiven) < 500)
  }
}
