import Records
import Synchronization

/// Whose password waits to be checked, as far as that decides about its turn.
package enum LoginStanding: Int, Sendable, CaseIterable {
  /// The user has logged in from there before.
  case known
  case fresh
  /// There were failures lately, from there or for the user.
  case failing
}

/// Passwords that wait for a thread: those of known standing first, and of one standing network after network
/// in turn, so that who has many tries under way keeps nobody waiting but himself. One turn of four goes the
/// other way round, so that nobody waits for ever.
///
/// Bounded for each standing. One more takes the place of one of whoever has most there: only who has as many
/// as anybody is refused himself, and among equals it is chance.
final class PasswordQueue<Job: Sendable>: Sendable {
  private struct Lane {
    /// In the order of their turns.
    var networks: [Name] = []
    /// Waiting, oldest first; never empty.
    var jobs: [Name: [Job]] = [:]
    var count = 0

    mutating func add(_ job: Job, of network: Name) {
      if jobs[network] == nil { networks.append(network) }
      jobs[network, default: []].append(job)
      count += 1
    }

    mutating func next() -> Job? {
      guard let network = networks.first, var waiting = jobs[network] else { return nil }
      networks.removeFirst()
      let job = waiting.removeFirst()
      count -= 1
      jobs[network] = waiting.isEmpty ? nil : waiting
      if !waiting.isEmpty { networks.append(network) }
      return job
    }

    /// The newest of one of those who have most.
    mutating func removeOfMost() -> Job? {
      let most = jobs.values.map(\.count).max() ?? 0
      let all = networks.filter { jobs[$0]?.count == most }
      guard let network = all.randomElement(), let job = jobs[network]?.popLast() else { return nil }
      count -= 1
      if jobs[network]?.isEmpty == true {
        jobs[network] = nil
        networks.removeAll { $0 == network }
      }
      return job
    }
  }

  private struct State {
    var lanes: [Lane]
    var turn = 0
  }

  private let state: Mutex<State>
  private let waitingMax: Int

  init(waitingMax: Int) {
    self.waitingMax = waitingMax
    state = Mutex(State(lanes: LoginStanding.allCases.map { _ in Lane() }))
  }

  /// The job that must give way, perhaps the new one; nil: there is room.
  func add(_ job: Job, of network: Name, _ standing: LoginStanding) -> Job? {
    state.withLock { state in
      state.lanes[standing.rawValue].add(job, of: network)
      guard state.lanes[standing.rawValue].count > waitingMax else { return nil }
      return state.lanes[standing.rawValue].removeOfMost()
    }
  }

  /// Whose turn it is; nil: nobody waits.
  func next() -> Job? {
    state.withLock { state in
      state.turn = (state.turn + 1) % 4
      let order = state.turn == 0 ? Array(state.lanes.indices.reversed()) : Array(state.lanes.indices)
      for index in order {
        if let job = state.lanes[index].next() { return job }
      }
      return nil
    }
  }
}
