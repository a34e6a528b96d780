import Blocks
import Codecs
import Foundation
import Journaling
import Matching
import Platform
import Records
import Storage
import TestKit

/// SIMULATION_VERBOSE=1: histories hold every operation on the disk.
let isVerbose = ProcessInfo.processInfo.environment["SIMULATION_VERBOSE"] != nil

/// What the store did that it must not do.
struct Violation: Error, CustomStringConvertible {
  var seed: UInt64
  var step: Int
  var text: String
  var history: [String]

  var description: String {
    """
    seed \(seed), step \(step): \(text)
    replay: SIMULATION_SEED=\(seed) swift test --filter SimulationTests
    history:
      \(history.suffix(isVerbose ? .max : 40).joined(separator: "\n  "))
    """
  }
}

/// One run: several lives of a store on a simulated disk, and a model beside it.
final class Simulation {
  let seed: UInt64
  let format: any BlockFormat
  let swarm: Swarm
  var generator: SeededGenerator
  var disk: SimulatedDisk
  let clock = ManualClock()
  let entropy: SeededEntropy
  var engine: StorageEngine
  var journal: JournalFile
  /// What the store has told in this life.
  var events = EventList()
  var model = Model()
  var step = 0
  var history: [String] = []
  var recordCount = 0
  var keyCount = 0
  var hasFaults = false
  var quotaBytes = 1 << 40
  var unreleased: [ArchiveStep] = []
  var snapshots: [HeldSnapshot] = []

  struct HeldSnapshot {
    var partition: Partition
    var snapshot: any PartitionSnapshot
    var rows: [ModelRow]
  }

  /// Disk operations already in the history.
  var logged = 0

  static let directory = "data"

  init(seed: UInt64, format: any BlockFormat) throws {
    self.seed = seed
    self.format = format
    generator = SeededGenerator(seed: seed)
    swarm = Swarm(&generator)
    disk = SimulatedDisk(seed: generator.next(), logs: isVerbose)
    entropy = SeededEntropy(seed: generator.next())
    (engine, journal) = try Simulation.open(disk, clock, entropy, format, swarm.options, events)
    // The first start may fail too.
    if generator.chance(oneIn: 3) {
      disk = SimulatedDisk(seed: generator.next(), logs: isVerbose)
      startFaults()
      try reopen()
    }
  }

  static func open(
    _ disk: SimulatedDisk, _ clock: ManualClock, _ entropy: SeededEntropy, _ format: any BlockFormat,
    _ options: StorageOptions, _ events: EventList
  ) throws(StoreError) -> (engine: StorageEngine, journal: JournalFile) {
    let environment = StoreEnvironment(
      fileSystem: disk, clock: clock, uptime: clock, entropy: entropy, observer: events)
    return try StorageEngine.open(
      directory: directory, environment: environment, options: options, format: format
    ) { directory, start throws(JournalError) in
      try JournalFile.open(
        directory: directory, environment: environment, options: options.journal, start: start
      ).journal
    }
  }

  func run() throws {
    while step < swarm.stepCount {
      step += 1
      let action = swarm.draw(&generator)
      note("\(step) \(action)")
      try perform(action)
    }
    note("end")
    stopFaults()
    setQuotaToMax()
    try verifyAll()
    try restart(powerCut: true)
    try verifyAll()
    try verifyEvents()
  }

  /// A failure of the background is told once, and its end.
  func verifyEvents() throws {
    if let problem = events.problem { throw violation(problem) }
  }

  func note(_ text: String) {
    if isVerbose {
      let log = disk.log()
      history += log.dropFirst(logged).map { "      " + $0 }
      logged = log.count
    }
    history.append(text)
  }

  func violation(_ text: String) -> Violation {
    note("violation")
    return Violation(seed: seed, step: step, text: text, history: history)
  }

  func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }

  func pick<Element>(_ elements: [Element]) -> Element { elements[number(0...elements.count - 1)] }

  func partition() -> Partition {
    let realm: Realm = pick([.native, .ingest])
    return Partition(
      tenant: Tenant(realm: realm, name: "tenant \(number(1...swarm.tenantCount))"),
      dataset: pick(swarm.datasets))
  }

  var partitions: [Partition] {
    var all: [Partition] = []
    for realm in [Realm.native, .ingest] {
      for tenant in 1...swarm.tenantCount {
        for dataset in swarm.datasets {
          all.append(Partition(tenant: Tenant(realm: realm, name: "tenant \(tenant)"), dataset: dataset))
        }
      }
    }
    return all
  }

  func startFaults() {
    hasFaults = true
    for fault in swarm.faults { disk.failRandomly(fault.operation, oneIn: fault.oneIn, with: fault.fault) }
  }

  func setQuotaToMax() {
    quotaBytes = 1 << 40
    disk.setQuota(quotaBytes)
  }

  func stopFaults() {
    hasFaults = false
    disk.failNothing()
  }

  /// A life ends, the next begins. Recovery itself may meet faults and crashes.
  func restart(powerCut: Bool) throws {
    snapshots = []
    unreleased = []
    let floors = model.positionEnd
    note("  \(powerCut ? "power cut" : "kill")")
    disk = powerCut ? disk.crash() : disk.kill()
    logged = disk.log().count
    if !generator.chance(oneIn: 3) { hasFaults = false }
    if hasFaults { startFaults() }
    try reopen()
    // Reads must not fail while what was open is decided.
    stopFaults()
    for partition in partitions {
      let found = try scan(partition, .ascending)
      if let problem = model.resolve(partition, found: found, floors: floors) { throw violation(problem) }
    }
    model.openRetention = [:]
    try verifyAll()
  }

  private func reopen() throws {
    try verifyEvents()
    while true {
      events = EventList()
      do throws(StoreError) {
        (engine, journal) = try Simulation.open(disk, clock, entropy, format, swarm.options, events)
        break
      } catch {
        note("  open: \(error)")
        if case .corrupt = error { throw violation("the store does not open: \(error)") }
        guard hasFaults || error.isDiskFull else { throw violation("the store does not open: \(error)") }
        if error.isDiskFull { setQuotaToMax() }
        if generator.chance(oneIn: 2) {
          note("  again")
          disk = generator.chance(oneIn: 2) ? disk.crash() : disk.kill()
          logged = disk.log().count
        }
        if generator.chance(oneIn: 2) { stopFaults() } else if hasFaults { startFaults() }
      }
    }
  }
}

extension StoreError {
  var isDiskFull: Bool {
    if case .diskFull = self { true } else { false }
  }

  var isPoisoned: Bool {
    if case .poisoned = self { true } else { false }
  }
}
