import Logging
import Synchronization

@testable import CordwoodLogging

/// A ``CordwoodLog`` with a scripted server, time that stands still, and what it complains of.
final class Bench: Sendable {
  let time = ManualTime()
  let transport: ScriptedTransport
  let log: CordwoodLog
  private let lines: Lines

  private final class Lines: Sendable {
    let all = Mutex<[String]>([])
  }

  init(_ script: [ScriptedTransport.Step] = [], options: CordwoodLogOptions = CordwoodLogOptions()) {
    transport = ScriptedTransport(script)
    let lines = Lines()
    self.lines = lines
    let complaints = Complaints(
      elapsed: time.timing.elapsed, write: { line in lines.all.withLock { $0.append(line) } })
    log = CordwoodLog(
      options: options, provider: nil, transport: transport, timing: time.timing, complaints: complaints)
  }

  var complaints: [String] { lines.all.withLock { $0 } }

  var logger: Logger { Logger(label: "bench", factory: log.handler(label:)) }

  /// Lets the batch's interval pass.
  func interval() async {
    await time.untilSomebodySleeps(for: .seconds(1))
    time.advance(by: .seconds(1))
  }
}
