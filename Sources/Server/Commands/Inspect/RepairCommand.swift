import Access
import ArgumentParser
import Blocks
import Codecs
import Platform
import Records
import Server
import Storage

/// `cordwood repair`: does without damaged blocks.
struct RepairCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "repair", abstract: "Do without what is damaged, after saying what that loses.",
    discussion: """
      Reads all blocks and the control database and says which are damaged or
      missing, and what is lost with each. Nothing is changed without
      --accept-loss. With it, damaged files are moved to lost+found in the data
      directory, answers stop being marked incomplete, and the control database
      goes on with what is whole of it: a key that was revoked behind the damage
      holds again. Restoring the files from a copy loses nothing: try that first.

      A damaged journal or manifest is not repaired; cordwood check names the byte.
      The server must not be running.

      Exit status 0: nothing is lost, or the loss was accepted; 1: there is
      something to lose; 2: it could not look or not repair.

      Examples:
        cordwood repair ./data
        cordwood repair ./data --accept-loss
      """)

  @Argument(help: "The data directory.") var directory: String
  @Flag(help: "Lose the records that are listed, for good.") var acceptLoss = false

  func run() async throws {
    // Blocking work, on a thread that may block.
    let thread = DiskThread(name: "repair")
    let isLeft = try await Failure.shown(status: RepairCommand.failedStatus) {
      try await thread.run { () throws(Failure) in try repair() }
    }
    if isLeft { throw ExitCode.failure }
  }

  private static let failedStatus: Int32 = 2

  /// Whether there is something to lose that was not accepted.
  private func repair() throws(Failure) -> Bool {
    let control = directory + "/" + AccessServices.fileName
    try DataDirectory.require(directory)
    let lock = try DataDirectory.lockOut(directory)
    defer { withExtendedLifetime(lock) {} }
    do throws(StoreError) {
      let losses = try StorageRepair.losses(directory: directory, registry: ServedAPIs.registry)
      if acceptLoss {
        try StorageRepair.accept(losses, directory: directory, registry: ServedAPIs.registry)
      }
      let damage = try controlDamage(control)
      if acceptLoss, damage != nil { try acceptLoss(of: control) }
      let text =
        (damage.map { RepairCommand.text(of: $0, isAccepted: acceptLoss) } ?? "")
        + RepairCommand.text(of: losses, isAccepted: acceptLoss)
      do throws(Failure) { try Output.show(text) } catch {
        if !error.isReaderLeft { throw .disk(error.description) }
      }
      return (!losses.isEmpty || damage != nil) && !acceptLoss
    } catch { throw Failure(DataDirectory.text(of: error)) }
  }

  /// What is wrong with the control database; nil: nothing that keeps a server from starting.
  private func controlDamage(_ path: String) throws(StoreError) -> FileFinding? {
    if AccessServices.isMissing(in: directory) {
      return FileFinding(
        file: path, offsetBytes: 0, reason: "missing: \(AccessServices.missingReason)", isDamage: true)
    }
    do throws(DiskError) { return try ControlDamage.findings(in: path).first(where: \.isDamage) } catch {
      throw StoreError.disk("\(error)")
    }
  }

  private func acceptLoss(of control: String) throws(StoreError) {
    let folder = directory + "/" + DataFiles.lostAndFound
    do {
      try LocalFileSystem().createDirectory(folder)
      try LocalFileSystem().syncDirectory(directory)
      try ControlRepair.accept(control, copiesIn: folder)
    } catch let error as AccessError {
      throw StoreError.disk(ControlPlace.text(of: error))
    } catch { throw StoreError.disk("\(error)") }
  }

  /// A line on the control database.
  static func text(of damage: FileFinding, isAccepted: Bool) -> String {
    "\(isAccepted ? "LOST" : "WOULD LOSE")  users, keys, tenants or containers: \(damage.file), byte "
      + "\(damage.offsetBytes): \(damage.reason)\n"
  }

  /// A line a block, and the sum.
  static func text(of losses: [StorageLoss], isAccepted: Bool) -> String {
    guard !losses.isEmpty else { return "no block is damaged or missing: nothing to lose\n" }
    var text = ""
    for loss in losses {
      let facts = loss.facts
      text += "\(isAccepted ? "LOST" : "WOULD LOSE")  \(InspectionText.plural(facts.rowCount, "record")) of "
      text += "\(facts.partition), positions \(facts.bounds.positionMin)-\(facts.positionEnd - 1), "
      text += "\(RFC3339.string(facts.bounds.timestampMin)) to "
      text += "\(RFC3339.string(facts.bounds.timestampMax)): \(loss.path), \(loss.reason)\n"
    }
    let rows = losses.reduce(0) { $0 + $1.facts.rowCount }
    let sum = "\(InspectionText.plural(rows, "record")) in \(InspectionText.plural(losses.count, "block"))"
    guard isAccepted else {
      return text + "\(sum) would be lost; nothing was changed. Restore the files from a copy, or run "
        + "cordwood repair with --accept-loss\n"
    }
    return text + "\(sum) are lost; what was there of the files is in lost+found\n"
  }
}
