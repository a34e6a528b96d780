import Journaling
import Records
import Storage
import TestKit

/// What one run does and what goes wrong in it, drawn at the start: runs that differ find more than runs that
/// all do everything.
struct Swarm {
  enum Action: CaseIterable {
    case append, appendMany, appendLarge, repeatKey, archive, archiveSome, release, compact, delete, retain
    case verify, query, holdSnapshot, checkSnapshot, dropSnapshot, emptyTrash
    case advanceClock, turnClockBack, powerCut, kill, stop, fillDisk, freeDisk, startFaults, stopFaults
  }

  struct Fault {
    var operation: SimulatedDisk.Operation
    var oneIn: Int
    var fault: SimulatedDisk.Fault
  }

  var weights: [(action: Action, weight: Int)] = []
  var faults: [Fault] = []
  var tenantCount: Int
  var datasets: [Dataset]
  var options = StorageOptions()
  var stepCount: Int

  init(_ generator: inout SeededGenerator) {
    func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &generator) }
    tenantCount = number(1...3)
    datasets = [[.logs], [.sessions], [.logs, .sessions], [.logs, .queries]][number(0...3)]
    stepCount = number(40...160)
    for action in Action.allCases {
      let weight = Swarm.usualWeight(of: action)
      switch action {
      case .append, .archive, .verify: weights.append((action, weight))
      default: if !generator.chance(oneIn: 4) { weights.append((action, number(1...2) * weight)) }
      }
    }
    let kinds: [(SimulatedDisk.Operation, [SimulatedDisk.Fault])] = [
      (.write, [.error, .full, .short]), (.sync, [.error]), (.syncDirectory, [.error]),
      (.create, [.error, .full]),
      (.rename, [.error, .full]), (.remove, [.error]), (.createDirectory, [.error, .full]), (.open, [.error]),
      (.read, [.error]), (.map, [.error]), (.freeBytes, [.error]),
    ]
    for (operation, faults) in kinds where generator.chance(oneIn: 2) {
      self.faults.append(
        Fault(operation: operation, oneIn: number(3...60), fault: faults[number(0...faults.count - 1)]))
    }
    options.journal.segmentBytes = [8 << 10, 16 << 10, 64 << 10][number(0...2)]
    options.journal.frameBytesMax = [2 << 10, 8 << 10][number(0...1)]
    options.journal.writeReserveBytes = 0
    options.clockStepSeconds = 0
    options.journal.headBytesMax = 1 << 20
    options.archiveRowsMax = [1, 20, 100_000][number(0...2)]
    options.archiveFramesMax = number(1...5)
    options.mergeInputsMin = number(2...4)
    options.mergeInputsMax = number(4...8)
    options.mergeRowsMin = [10, 50, 1000][number(0...2)]
    options.mergeRowsMax = [20, 200, 10_000][number(0...2)]
    options.openBlocksMax = number(1...4)
    options.openBlocksBytesMax = (options.openBlocksMax % 3) << 16
    options.pageCacheBytesMax = [0, 20_000, 1 << 20][options.openBlocksMax % 3]
    options.manifestBytesMin = [200, 1000, 1 << 20][number(0...2)]
    for dataset in datasets where !generator.chance(oneIn: 3) {
      options.retentionSeconds[dataset] = [60, 3600, 100_000][number(0...2)]
    }
  }

  private static func usualWeight(of action: Action) -> Int {
    switch action {
    case .append: 12
    case .appendMany, .archive, .archiveSome: 8
    case .release, .compact: 6
    case .delete, .query, .verify, .repeatKey, .advanceClock: 4
    case .appendLarge, .holdSnapshot, .checkSnapshot, .emptyTrash, .dropSnapshot: 2
    case .retain, .powerCut, .kill, .startFaults, .stopFaults: 2
    case .turnClockBack, .fillDisk, .freeDisk, .stop: 1
    }
  }

  func draw(_ generator: inout SeededGenerator) -> Action {
    var left = Int.random(in: 0..<weights.reduce(0) { $0 + $1.weight }, using: &generator)
    for (action, weight) in weights {
      left -= weight
      if left < 0 { return action }
    }
    return .append
  }
}
