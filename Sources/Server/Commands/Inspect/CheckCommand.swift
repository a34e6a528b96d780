import Access
import ArgumentParser
import Foundation
import Platform
import Records
import Server
import Storage

/// `cordwood check`: verifies a data directory.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check", abstract: "Verify every checksum and invariant of a data directory.",
    discussion: """
      Reads everything and changes nothing. The server must not be running. What an
      interrupted start or stop left behind is told too; a start puts it right.

      Exit status 0: sound; 1: damage, each named with file and byte; 2: it could
      not check (no data directory, a server that runs) or not print what it found.

      Examples:
        cordwood check ./data
        cordwood check ./data --quiet && echo sound
      """)

  @Argument(help: "The data directory.") var directory: String
  @Flag(help: "Print damage only.") var quiet = false

  func run() async throws {
    // Blocking work, on a thread that may block.
    let thread = DiskThread(name: "check")
    let isDamaged = try await Failure.shown(status: CheckCommand.uncheckedStatus) {
      try await thread.run { () throws(Failure) in try check() }
    }
    if isDamaged { throw ExitCode.failure }
  }

  /// Damage alone ends with 1, so that a script can tell.
  private static let uncheckedStatus: Int32 = 2

  private func check() throws(Failure) -> Bool {
    try DataDirectory.require(directory)
    let lock = try DataDirectory.lockOut(directory)
    let showsProgress = !quiet && ProcessLimits.isTerminal(2)
    var report = StorageChecker.check(directory: directory, registry: ServedAPIs.registry) {
      path, index, count in
      if showsProgress { Output.progress("\(index + 1)/\(count)  \(path)") }
    }
    if showsProgress { Output.progress("") }
    addUsers(to: &report)
    withExtendedLifetime(lock) {}
    let text = CheckCommand.text(of: report, quiet: quiet)
    do throws(Failure) { try Output.show(text) } catch {
      // The status tells of damage also where the words are not wanted or not to be had.
      guard report.isDamaged else { throw error }
      if !error.isReaderLeft { throw Failure(error.description, status: ExitCode.failure.rawValue) }
    }
    return report.isDamaged
  }

  /// Looks at the control database, and at the users' names: in a copy, as SQLite leaves files beside what
  /// it reads.
  private func addUsers(to report: inout StorageReport) {
    let path = directory + "/" + AccessServices.fileName
    let files = FileManager.default
    guard files.fileExists(atPath: path) else {
      guard AccessServices.isMissing(in: directory) else { return }
      let reason = "there is no control database: \(AccessServices.missingReason)"
      return report.findings.append(.init(file: path, offsetBytes: 0, reason: reason, isDamage: true))
    }
    do throws(DiskError) {
      report.findings += try ControlDamage.findings(in: path)
    } catch {
      report.findings.append(
        FileFinding(file: path, offsetBytes: 0, reason: "it cannot be read: \(error)", isDamage: true))
    }
    let folder = files.temporaryDirectory.path + "/cordwood-check-" + UUID().uuidString
    // A copy that stays holds no more than a backup does, for its owner alone.
    defer { try? files.removeItem(atPath: folder) }
    do {
      try files.createDirectory(
        atPath: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
      for ending in ["", "-wal"] where files.fileExists(atPath: path + ending) {
        try files.copyItem(atPath: path + ending, toPath: folder + "/copy" + ending)
      }
    } catch {
      let reason = "the users' names were not looked at: \(error.localizedDescription)"
      return report.findings.append(.init(file: path, offsetBytes: 0, reason: reason, isDamage: false))
    }
    do throws(AccessError) {
      for remark in try ControlNames.remarks(on: folder + "/copy") {
        report.findings.append(
          FileFinding(file: path, offsetBytes: 0, reason: remark, isDamage: false))
      }
    } catch {
      report.findings.append(
        FileFinding(file: path, offsetBytes: 0, reason: ControlPlace.text(of: error), isDamage: true))
    }
  }

  /// The findings, damage first, and what was looked at.
  static func text(of report: StorageReport, quiet: Bool) -> String {
    var text = ""
    for finding in report.findings where finding.isDamage {
      text += "DAMAGED  \(finding.file), byte \(finding.offsetBytes): \(finding.reason)\n"
    }
    guard !quiet else { return text }
    for finding in report.findings where !finding.isDamage {
      text += "note     \(finding.file), byte \(finding.offsetBytes): \(finding.reason)\n"
    }
    text += "\(InspectionText.plural(report.editCount, "edit")) of the manifest, "
    text += "\(InspectionText.plural(report.segmentCount, "segment")) with "
    text += "\(InspectionText.plural(report.frameCount, "frame")) "
    text += "(\(InspectionText.plural(report.headRows, "record")) in no block), "
    text += "\(InspectionText.plural(report.blockCount, "block")) with "
    text += "\(InspectionText.plural(report.blockRows, "record")) "
    text += "in \(InspectionText.bytes(report.blockBytes)): \(report.isDamaged ? "damaged" : "sound")\n"
    return text
  }
}
