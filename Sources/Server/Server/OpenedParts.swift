/// What was opened, to be closed in the reverse order: at the stop, and when opening fails on the way.
struct OpenedParts {
  private var closings: [@Sendable () async -> Void] = []

  /// Notes what closes the part that was opened last.
  mutating func add(_ close: @escaping @Sendable () async -> Void) { closings.append(close) }

  /// Closes all, the last first. Empty afterwards.
  mutating func close() async {
    while let close = closings.popLast() { await close() }
  }
}
