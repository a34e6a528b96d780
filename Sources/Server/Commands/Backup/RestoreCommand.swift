import ArgumentParser
import Codecs
import Foundation
import Platform
import Records
import Server
import Storage

/// `cordwood restore`: makes a data directory of a backup.
struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore", abstract: "Make a data directory of a backup.",
    usage: "cordwood restore <source> --data-dir <data-dir> [<options>]",
    discussion: """
      Verifies all of the backup, copies it into a new or empty directory, and reads
      back what was written. Nothing that is there is overwritten. No server starts
      on a restore that was stopped; run it again.

      What was written after the backup is not in it. Positions go on far behind all
      that were given, so that readers who go on from a position of theirs miss
      nothing that is written from now on. The files are for the account that runs
      this: use the one that the server runs as.

      Exit status 0: done; 1: the backup is damaged, with the name of the file, and
      nothing was made; 2: anything else.

      Examples:
        cordwood restore /mnt/backup/cordwood --data-dir /var/lib/cordwood
        cordwood restore /mnt/backup/cordwood --verify-only
      """)

  @Argument(help: "The backup's folder.") var source: String
  @Option(
    name: [.customLong("data-dir"), .customLong("data")],
    help: "The data directory to make: missing or empty.")
  var dataDir: String?
  @Flag(help: "Only verify the backup.") var verifyOnly = false
  @Flag(help: "Print nothing but failures.") var quiet = false

  func validate() throws {
    guard dataDir != nil || verifyOnly else {
      throw ValidationError("Say where to: --data-dir DIRECTORY, or --verify-only.")
    }
  }

  func run() async throws {
    ProcessLimits.keepFilesPrivate()
    let thread = DiskThread(name: "restore")
    try await Failure.shown(status: BackupFailure.otherStatus) {
      try await thread.run { () throws(Failure) in try restore() }
    }
  }

  private func restore() throws(Failure) {
    let source = FolderPath.absolute(source)
    let meter = CopyMeter("restore", isQuiet: quiet)
    let directory = verifyOnly ? nil : dataDir.map { FolderPath.absolute($0) }
    let catalogue = try BackupFailure.shown { () throws(StoreError) in
      guard let directory else { return try StorageRestore.verify(source: source) { meter.show($0) } }
      let request = RestoreRequest(source: source, directory: directory)
      return try StorageRestore.run(request) { meter.show($0) }
    }
    meter.clear()
    if quiet { return }
    var text = "\(source): \(InspectionText.plural(catalogue.files.count, "file")), "
    text += "\(InspectionText.bytes(catalogue.byteCount)), as of \(RFC3339.string(catalogue.madeAt)): sound\n"
    if let directory { text += "restored to \(directory): start the server there\n" }
    try Output.show(text)
  }
}
