import Foundation
import Platform
import Records
import Storage
import Synchronization

/// How far a backup or restore is: a line that changes on a terminal, elsewhere a line every ten seconds.
final class CopyMeter: Sendable {
  private let verb: String
  private let isQuiet: Bool
  private let isTerminal: Bool
  private let started = ContinuousClock.now
  private let shown = Mutex(ContinuousClock.now)

  init(_ verb: String, isQuiet: Bool, isTerminal: Bool = ProcessLimits.isTerminal(2)) {
    self.verb = verb
    self.isQuiet = isQuiet
    self.isTerminal = isTerminal
  }

  func show(_ progress: BackupProgress) {
    if isQuiet { return }
    let now = ContinuousClock.now
    let isDue = shown.withLock { shown in
      guard now - shown > (isTerminal ? .milliseconds(100) : .seconds(10)) else { return false }
      shown = now
      return true
    }
    guard isDue else { return }
    let seconds = Double((now - started).components.seconds)
    let line = CopyMeter.line(verb, progress, seconds: max(seconds, 1))
    if isTerminal { Output.progress(line) } else { Output.note(line) }
  }

  /// Removes the terminal's line.
  func clear() { if isTerminal, !isQuiet { Output.progress("") } }

  /// `backup  [########------------]  40%  1.2 GB of 3.0 GB  120.0 MB/s  blocks/…/00000012.parquet`
  static func line(_ verb: String, _ progress: BackupProgress, seconds: Double) -> String {
    let share = min(1, Double(progress.bytesDone) / Double(max(progress.bytesTotal, 1)))
    let filled = Int(share * 20)
    let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: 20 - filled)
    let rate = InspectionText.bytes(Int(Double(progress.bytesDone) / seconds))
    return "\(verb)  [\(bar)]  \(Int(share * 100))%  \(InspectionText.bytes(progress.bytesDone)) of "
      + "\(InspectionText.bytes(progress.bytesTotal))  \(rate)/s  \(progress.file.suffix(40))"
  }
}

/// How these commands fail: damage has a status of its own.
enum BackupFailure {
  static let damagedStatus: Int32 = 1
  static let otherStatus: Int32 = 2

  static func shown<Value>(_ body: () throws(StoreError) -> Value) throws(Failure) -> Value {
    do throws(StoreError) { return try body() } catch {
      if case .corrupt = error { throw Failure(DataDirectory.text(of: error), status: damagedStatus) }
      throw Failure(DataDirectory.text(of: error))
    }
  }
}

/// Folders as one name each.
enum FolderPath {
  /// From the root, links resolved as far as there are any.
  static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
  }
}
