import Access
import ArgumentParser
import Codecs
import Platform
import Records
import Server
import Storage

/// `cordwood backup`: copies a data directory, whether its server runs or not.
struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup", abstract: "Back up a data directory; also while its server runs.",
    usage: "cordwood backup <target> [<options>]",
    discussion: """
      Copies records, users, keys, tokens, containers and forwarders' state as they
      are at one moment. Every record that was acknowledged before the command
      began is in it. The server need not run, may run, and may start meanwhile.

      Into the folder of an earlier backup only what is new is copied, and what no
      longer belongs to it is removed at the end. Until all is copied, synced and
      read back, the earlier backup stays whole: a backup that is stopped costs
      nothing but its time. A folder keeps one backup; for several, use several.

      Run it as the account that the server runs as, or as root. The configuration
      and TLS files are not in it: they lie outside of the data directory.

      Exit status 0: done; 1: the data are damaged, each file named; 2: anything
      else. After 1 and 2 the target is what it was.

      Examples:
        cordwood backup /mnt/backup/cordwood --data-dir /var/lib/cordwood
        cordwood backup /mnt/backup/cordwood --config /etc/cordwood/cordwood.yaml
        cordwood backup /mnt/backup/cordwood --verify-all
      """)

  @Argument(help: "The backup's folder: new, empty, or that of an earlier backup.") var target: String
  @OptionGroup var place: ControlPlace
  @Flag(help: "Read back also what earlier runs have copied.") var verifyAll = false
  @Flag(help: "Print nothing but failures.") var quiet = false

  func run() async throws {
    ProcessLimits.raiseOpenFiles()
    // What is in it is for the eyes of those who run the server.
    ProcessLimits.keepFilesPrivate()
    // Blocking work, on a thread that may block.
    let thread = DiskThread(name: "backup")
    try await Failure.shown(status: BackupFailure.otherStatus) {
      try await thread.run { () throws(Failure) in try backUp() }
    }
  }

  private func backUp() throws(Failure) {
    let directory = FolderPath.absolute(try place.directory())
    try DataDirectory.require(directory)
    var request = BackupRequest(
      directory: directory, target: FolderPath.absolute(target), registry: ServedAPIs.registry)
    request.program = RunningServer.version
    request.verifiesAll = verifyAll
    request.copyControl = { (path) throws(StoreError) in
      do throws(AccessError) {
        return try ControlCopy.make(of: "\(directory)/\(AccessServices.fileName)", at: path)
      } catch {
        throw error == .diskFull ? .diskFull("no room for \(path)") : .disk(ControlPlace.text(of: error))
      }
    }
    let meter = CopyMeter("backup", isQuiet: quiet)
    let report = try BackupFailure.shown { () throws(StoreError) in
      try StorageBackup.run(request) { meter.show($0) }
    }
    meter.clear()
    for path in report.rescued {
      Output.warn("\(path) is missing; the backup has it: put it back, or the server answers without it")
    }
    if let failure = report.removalFailure {
      let reason = DataDirectory.text(of: failure)
      Output.warn("the backup is whole, but what no longer belongs to it stays: \(reason)")
    }
    if !quiet { try Output.show(BackupCommand.text(of: report, target: request.target)) }
  }

  /// What was done, in two lines.
  static func text(of report: BackupReport, target: String) -> String {
    let catalogue = report.catalogue
    var text = "\(target): \(InspectionText.plural(catalogue.files.count, "file")), "
    text += "\(InspectionText.bytes(catalogue.byteCount)), as of \(RFC3339.string(catalogue.madeAt)) "
    text += "(edit \(catalogue.generation))\n"
    text += "copied \(InspectionText.plural(report.copiedFiles, "file")) of "
    text += "\(InspectionText.bytes(report.copiedBytes)), "
    text += "kept \(InspectionText.plural(report.keptFiles, "block")), "
    return text + "removed \(InspectionText.plural(report.removedFiles, "block"))\n"
  }
}
