import Records
import TestKit
import Testing

@testable import Forwarding

/// Random histories: records come and go, Loki does everything it can do wrong, the process ends at any step.
@Suite struct ModelTests {
  struct World {
    var random: SeededGenerator
    var harness: Harness
    var tenants: [Tenant]
    /// What each swarm of faults has.
    let hasCrashes: Bool
    let hasDeletions: Bool
    let hasPoison: Bool
    let hasSaveFaults: Bool
    let answers: [ScriptedLoki.Answer]
    var number = 0
    var deleted: Set<String> = []
    /// Messages of each tenant in the order of their positions.
    var written: [Tenant: [String]] = [:]

    init(seed: UInt64) {
      random = SeededGenerator(seed: seed)
      var options = ForwardingOptions()
      // Taking gzip apart is slow in debug builds.
      options.format = random.chance(oneIn: 6) ? .json : .protobuf
      options.limits.pushEntriesMax = Int.random(in: 1...20, using: &random)
      options.limits.pushBytesMax = Int.random(in: 300...5000, using: &random)
      options.limits.windowRowsMax = Int.random(in: 1...64, using: &random)
      options.limits.windowBytesMax = Int.random(in: 100...5000, using: &random)
      options.limits.windowsHeldMax = Int.random(in: 0...3, using: &random)
      options.limits.pushesInFlightMax = Int.random(in: 1...3, using: &random)
      harness = Harness(options, store: FakeStore(blockRows: Int.random(in: 1...50, using: &random)))
      harness.loki.takesTheRest = Bool.random(using: &random)
      if random.chance(oneIn: 3) { harness.loki.entriesMax = Int.random(in: 1...10, using: &random) }
      tenants = (0..<Int.random(in: 1...5, using: &random)).map { tenant("t\($0)") }
      hasCrashes = Bool.random(using: &random)
      hasDeletions = random.chance(oneIn: 3)
      hasPoison = Bool.random(using: &random)
      hasSaveFaults = random.chance(oneIn: 3)
      let all: [ScriptedLoki.Answer] = [
        .acceptAnd(.cut), .acceptAnd(.timeout), .acceptTwice, .fail(.connect), .fail(.timeout),
        .fail(.garbage), .fail(.cut), .status(429, retryAfter: "7"), .status(500), .status(503), .status(401),
      ]
      var chosen: [ScriptedLoki.Answer] = [.accept, .accept]
      for answer in all where Bool.random(using: &random) { chosen.append(answer) }
      answers = chosen
    }

    mutating func step() throws {
      switch Int.random(in: 0..<20, using: &random) {
      case 0..<4: write()
      case 4..<6:
        harness.now += Int64.random(in: 0...20, using: &random) * second
        harness.send(.tick)
      case 6 where hasCrashes:
        try crash()
      case 7 where hasDeletions:
        delete()
      default:
        guard !harness.work.isEmpty else {
          harness.now += second / 4
          return harness.send(.tick)
        }
        harness.loki.script = [answers[Int.random(in: 0..<answers.count, using: &random)]]
        let index = Int.random(in: 0..<harness.work.count, using: &random)
        try harness.carryOut(index, savesFail: hasSaveFaults && random.chance(oneIn: 3))
        try check()
      }
    }

    private mutating func write() {
      let tenant = tenants[Int.random(in: 0..<tenants.count, using: &random)]
      let entries = (0..<Int.random(in: 1...30, using: &random)).map { _ in
        number += 1
        let kind = hasPoison ? Int.random(in: 0..<40, using: &random) : 10
        var entry = TestEntry(message: "\(kind == 0 ? "poison" : kind == 1 ? "huge" : "m")\(number)")
        entry.timestamp += Int64.random(in: 0...1_000_000, using: &random)
        entry.level = ["INFO", "WARN", nil][Int.random(in: 0..<3, using: &random)]
        entry.service = ["shop", "cart"][Int.random(in: 0..<2, using: &random)]
        if random.chance(oneIn: 10) { entry.message += String(repeating: "x", count: 400) }
        return entry
      }
      written[tenant, default: []] += entries.map(\.message)
      harness.append(entries, to: tenant)
    }

    private mutating func delete() {
      let tenant = tenants[Int.random(in: 0..<tenants.count, using: &random)]
      let remainder = Int64.random(in: 0..<7, using: &random)
      let gone = harness.store.rows(tenant).filter { $0.position % 7 == remainder }
      deleted.formUnion(gone.map(\.message))
      harness.store.delete(tenant) { $0.position % 7 == remainder }
    }

    /// What was under way may have arrived.
    private mutating func crash() throws {
      for action in harness.work where Bool.random(using: &random) {
        guard case .push(let tenant, let window, let rows, let bytesMax) = action else { continue }
        let options = harness.options
        let push = try LokiEncoder(mapping: options.mapping, format: options.format)
          .encode(window, rows: rows, bytesMax: bytesMax)
        harness.loki.script = []
        _ = try harness.loki.push(
          PushRequest(
            tenant: tenant, body: push.body,
            contentType: options.format == .json ? "application/json" : "application/x-protobuf",
            contentEncoding: options.format == .json ? "gzip" : nil, entryCount: push.rowCount),
          at: harness.now)
      }
      harness.crash()
    }

    private func check() throws {
      var busy: [Tenant] = []
      for action in harness.work {
        switch action {
        case .read(let tenant, _, _): busy.append(tenant)
        case .push(let tenant, _, let rows, _):
          busy.append(tenant)
          try #require(rows.count <= harness.options.limits.pushEntriesMax)
        case .save, .advanced, .flushed, .finish: break
        }
      }
      try #require(busy.count <= harness.options.limits.pushesInFlightMax, "too many pushes at once")
      try #require(Set(busy).count == busy.count, "two pushes of one tenant at once")
      let windows = harness.engine.lanes.values.count { $0.window != nil }
      try #require(
        windows <= harness.options.limits.windowsHeldMax + harness.options.limits.pushesInFlightMax)
    }

    mutating func finish() throws {
      harness.loki.script = []
      harness.loki.entriesMax = .max
      try harness.drain()
      for tenant in tenants {
        let written = written[tenant] ?? []
        let sound = written.filter { $0.hasPrefix("m") }
        let entries = harness.loki.received[tenant] ?? []
        let arrived = Set(entries.map(\.message))
        #expect(Set(sound).subtracting(arrived).subtracting(deleted).isEmpty, "lost")
        #expect(arrived.subtracting(sound).isEmpty, "invented")
        let buried = harness.letters.filter { $0.tenant == tenant }.map { $0.position }
        let refused = written.indices.filter { !written[$0].hasPrefix("m") }
        let mustBe = refused.filter { !deleted.contains(written[$0]) }.map { Int64($0) }
        #expect(Set(mustBe).subtracting(buried).isEmpty, "neither sent nor buried")
        #expect(Set(buried).subtracting(refused.map { Int64($0) }).isEmpty, "buried though sound")
        #expect(Set(buried).count == buried.count, "buried twice")
        try checkOrder(entries, written)
        #expect(harness.backlog.figures(of: tenant).bytes == 0)
        #expect(harness.backlog.figures(of: tenant).oldestAt == nil)
      }
    }

    /// The first arrivals of each stream are in the order of the positions.
    private func checkOrder(_ entries: [ReceivedEntry], _ written: [String]) throws {
      let place = Dictionary(uniqueKeysWithValues: zip(written, written.indices))
      for (labels, stream) in Dictionary(grouping: entries, by: \.labels) {
        var seen: Set<Int> = []
        var last = -1
        for entry in stream {
          let index = try #require(place[entry.message])
          guard seen.insert(index).inserted else { continue }
          #expect(index > last, "out of order in \(labels)")
          last = index
        }
      }
    }
  }

  static let seeds: [UInt64] = Array(1...4)

  @Test(arguments: seeds) func everyHistoryEndsWell(seed: UInt64) throws {
    var world = World(seed: seed)
    for _ in 0..<200 { try world.step() }
    try world.finish()
  }
}
