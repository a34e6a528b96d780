import Codecs

/// Tells which lines without a head of their own belong to the record before them: indented ones, and the
/// traces of Java, Python, Go, Ruby, .NET and Node, whose first and last lines are not.
struct TraceShape {
  private enum State { case none, indented, python, pythonEnd, go }

  private var state = State.none

  /// A record begins with `line`.
  mutating func begin(_ line: Span<UInt8>) {
    state =
      line.has("Traceback (most recent call last)", at: 0)
      ? .python : line.has("panic: ", at: 0) || line.has("fatal error: ", at: 0) ? .go : .none
  }

  /// Whether `line` goes on with the record.
  mutating func takes(_ line: Span<UInt8>) -> Bool {
    guard line.count > 0 else { return state == .go || state == .pythonEnd }
    if line[0] == 0x20 || line[0] == 0x09 {
      if state == .none { state = .indented }
      return true
    }
    if line.has("Traceback (most recent call last)", at: 0) {
      state = .python
      return true
    }
    if line.has("goroutine ", at: 0) {
      state = .go
      return true
    }
    switch state {
    case .python:
      // The error itself, in one line.
      state = .pythonEnd
      return true
    case .pythonEnd where TraceShape.isPythonLink(line): return true
    case .go: if TraceShape.isGoFrame(line) { return true }
    case .indented where line.count <= 3 && TraceShape.isCloser(line[0]): return true
    default: break
    }
    return TraceShape.isJavaLink(line)
  }

  private static func isJavaLink(_ line: Span<UInt8>) -> Bool {
    line.has("Caused by: ", at: 0) || line.has("Suppressed: ", at: 0) || line.has("--- End of ", at: 0)
  }

  private static func isPythonLink(_ line: Span<UInt8>) -> Bool {
    line.has("During handling of the above exception", at: 0)
      || line.has("The above exception was the direct cause", at: 0)
  }

  /// `main.run(0x1)`, `created by …`, `exit status 2`, `[signal …]`
  private static func isGoFrame(_ line: Span<UInt8>) -> Bool {
    line[line.count - 1] == UInt8(ascii: ")") || line.has("created by ", at: 0)
      || line.has("exit status ", at: 0) || line.has("[signal ", at: 0) || line.has("runtime", at: 0)
  }

  private static func isCloser(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") || byte == UInt8(ascii: ")")
  }
}
