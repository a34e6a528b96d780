import Foundation
import Synchronization

@testable import CordwoodLogging

/// A server that answers what a test says, 201 when the script is over.
final class ScriptedTransport: Transport {
  enum Step: Sendable {
    case answer(TransportAnswer)
    case brokenConnection
    /// No answer before ``release()``.
    case stuck
  }

  struct Request: Sendable, Equatable {
    let key: String
    let body: [UInt8]
  }

  private struct State: Sendable {
    var script: [Step]
    var requests: [Request] = []
    var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    var stuck: [CheckedContinuation<Void, Never>] = []
    var isReleased = false
  }

  private let state: Mutex<State>

  init(_ script: [Step] = []) { state = Mutex(State(script: script)) }

  func send(_ body: [UInt8], key: String) async throws -> TransportAnswer {
    let (step, watchers) = state.withLock { state in
      state.requests.append(Request(key: key, body: body))
      let seen = state.watchers.filter { $0.count <= state.requests.count }
      state.watchers.removeAll { $0.count <= state.requests.count }
      let step = state.script.isEmpty ? Step.answer(TransportAnswer(status: 201)) : state.script.removeFirst()
      return (step, seen.map(\.continuation))
    }
    for watcher in watchers { watcher.resume() }
    switch step {
    case .answer(let answer): return answer
    case .brokenConnection: throw URLError(.networkConnectionLost)
    case .stuck:
      await withCheckedContinuation { continuation in
        let isReleased = state.withLock { state in
          if !state.isReleased { state.stuck.append(continuation) }
          return state.isReleased
        }
        if isReleased { continuation.resume() }
      }
      return TransportAnswer(status: 201)
    }
  }

  func release() {
    let stuck = state.withLock { state in
      state.isReleased = true
      defer { state.stuck = [] }
      return state.stuck
    }
    for continuation in stuck { continuation.resume() }
  }

  var requests: [Request] { state.withLock { $0.requests } }

  /// Returns when so many requests have come.
  func untilRequests(_ count: Int) async {
    await withCheckedContinuation { continuation in
      let isThere = state.withLock { state in
        if state.requests.count >= count { return true }
        state.watchers.append((count, continuation))
        return false
      }
      if isThere { continuation.resume() }
    }
  }

  /// The records of all requests, repeats included.
  func records() throws -> [[String: Any]] { try requests.flatMap { try JSONLines.parse($0.body) } }
}

/// NDJSON as another parser than ours reads it.
enum JSONLines {
  static func parse(_ bytes: [UInt8]) throws -> [[String: Any]] {
    try bytes.split(separator: 10).map { line in
      let parsed = try JSONSerialization.jsonObject(with: Data(line))
      guard let object = parsed as? [String: Any] else { throw CocoaError(.coderReadCorrupt) }
      return object
    }
  }
}
