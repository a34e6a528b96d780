import Routing
import Synchronization

/// A value made from settings that may change while the server runs. A request uses the one it took first.
package final class Replaceable<Value: Sendable>: Sendable {
  private let state: Mutex<Value>

  package init(_ value: Value) { state = Mutex(value) }

  package var value: Value { state.withLock { $0 } }

  package func replace(with value: Value) { state.withLock { $0 = value } }
}
