import Foundation
import Platform
import Synchronization

/// A progress line on a terminal: share, rate, time left. Silent elsewhere.
final class Progress: Sendable {
  private struct State {
    var name = ""
    var startOffset = 0
    var offset = 0
    var sizeBytes: Int?
    var lineCount = 0
    var started = ContinuousClock.now
    var shown = ContinuousClock.now
    var note: String?
  }

  private let isShown: Bool
  private let state = Mutex(State())

  init(isShown: Bool) { self.isShown = isShown }

  func begin(_ name: String, at offset: Int, of sizeBytes: Int?) {
    state.withLock { $0 = State(name: name, startOffset: offset, offset: offset, sizeBytes: sizeBytes) }
  }

  func advance(to offset: Int, lines: Int) {
    state.withLock { state in
      state.offset = offset
      state.lineCount += lines
      state.note = nil
    }
    show(isForced: false)
  }

  func retrying(_ reason: String) {
    state.withLock { $0.note = reason }
    show(isForced: true)
  }

  /// Removes the line.
  func clear() {
    guard isShown else { return }
    Output.progress("")
  }

  private func show(isForced: Bool) {
    guard isShown else { return }
    let line: String? = state.withLock { state in
      let now = ContinuousClock.now
      guard isForced || now - state.shown > .milliseconds(100) else { return nil }
      state.shown = now
      return Progress.line(
        name: state.name, done: state.offset, from: state.startOffset, of: state.sizeBytes,
        lines: state.lineCount,
        seconds: Progress.seconds(now - state.started), note: state.note)
    }
    if let line { Output.progress(line) }
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  /// `app.log  [########------------]  40%  12.3 MB/s  98,000 lines/s  0:07 left`
  static func line(
    name: String, done: Int, from start: Int, of size: Int?, lines: Int, seconds: Double, note: String?
  ) -> String {
    let rate = seconds > 0 ? Double(done - start) / seconds : 0
    var parts = [name]
    if let size, size > 0 {
      let share = min(1, Double(done) / Double(size))
      let filled = Int(share * 20)
      parts.append(
        "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: 20 - filled) + "]")
      parts.append("\(Int(share * 100))%")
    } else {
      parts.append(String(format: "%.1f MB", Double(done) / 1e6))
    }
    parts.append(String(format: "%.1f MB/s", rate / 1e6))
    parts.append("\(grouped(seconds > 0 ? Int(Double(lines) / seconds) : 0)) lines/s")
    if let size, rate > 0 {
      let left = Int((Double(size - done) / rate).rounded(.up))
      parts.append("\(left / 60):\(left % 60 < 10 ? "0" : "")\(left % 60) left")
    }
    if let note { parts.append("- waiting: \(note.prefix(60))") }
    return parts.joined(separator: "  ")
  }

  /// 1234567 as `1,234,567`.
  static func grouped(_ number: Int) -> String {
    var text = ""
    for (index, digit) in String(number).reversed().enumerated() {
      if index > 0, index % 3 == 0 { text.append(",") }
      text.append(digit)
    }
    return String(text.reversed())
  }
}
