import ArgumentParser
import Blocks
import Columnar
import Foundation
import Platform
import Records
import Server
import Storage

/// `cordwood inspect`: what is on the disk, read without changing it.
struct InspectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show what a data directory holds; also while a server runs.",
    usage: "cordwood inspect <directory> [<options>]",
    discussion: """
      Shows the journal's segments, each tenant's and dataset's blocks with their
      ranges, and what every column takes.

      Examples:
        cordwood inspect ./data
        cordwood inspect ./data --files               # paths of the live blocks
        cordwood inspect ./data --arrow head.arrows   # records in no block yet
        cordwood inspect ./data --arrow audit.arrows --dataset audit --tenant shop
      """)

  @Argument(help: "The data directory.") var directory: String
  @Flag(help: "Only the paths of the live blocks.") var files = false
  @Option(help: ArgumentHelp("Write the journal's records as an Arrow stream.", valueName: "file")) var arrow:
    String?
  @Option(help: "With --arrow: which dataset.") var dataset = "logs"
  @Option(help: "With --arrow: only this tenant's (else all tenants').") var tenant: String?

  func run() async throws {
    // Blocking work, on a thread that may block.
    let thread = DiskThread(name: "inspect")
    try await Failure.shown { try await thread.run { () throws(Failure) in try inspect() } }
  }

  private func inspect() throws(Failure) {
    try DataDirectory.require(directory)
    if let arrow { return try writeHead(to: arrow) }
    let found = try reading { () throws(StoreError) in
      try StorageInspector.inspect(directory: directory, registry: ServedAPIs.registry)
    }
    if files {
      let paths = found.partitions.flatMap(\.blocks).map { $0.path + "\n" }.joined()
      return try Output.show(paths)
    }
    try Output.show(InspectionText.overview(found))
    for part in found.partitions {
      var inspections: [BlockInspection] = []
      for block in part.blocks {
        inspections.append(try reading { () throws(StoreError) in try StorageInspector.inspect(block) })
      }
      try Output.show(InspectionText.partition(part, inspections: inspections))
    }
  }

  private func writeHead(to path: String) throws(Failure) {
    guard let wanted = ServedAPIs.registry.dataset(named: dataset) else {
      throw Failure("the datasets are \(ServedAPIs.registry.datasets.map(\.name).joined(separator: ", "))")
    }
    let output = try ArrowOutput(path)
    var failure: ColumnarError?
    var damage: StoreError?
    var rowCount = 0
    do throws(ColumnarError) {
      let writer = try ArrowStreamWriter(fields: wanted.schema.fields) { output.write($0) }
      let result = Result { () throws(StoreError) in
        try StorageInspector.forEachHeadBatch(directory: directory, registry: ServedAPIs.registry) {
          partition, batch in
          guard failure == nil, partition.dataset == wanted, tenant == nil || tenant == partition.tenant.name
          else { return }
          rowCount += batch.rowCount
          do throws(ColumnarError) { try writer.write(batch) } catch { failure = error }
        }
      }
      if case .failure(let error) = result { damage = error }
      if failure == nil { try writer.finish() }
    } catch {
      failure = error
    }
    if let damage { throw Failure(DataDirectory.text(of: damage)) }
    if let error = output.failure { throw Failure("\(error)") }
    if let failure { throw Failure("cannot write \(path): \(failure)") }
    do throws(DiskError) { try output.finish() } catch { throw Failure("\(error)") }
    Output.note("\(InspectionText.plural(rowCount, "record")) written to \(path)")
  }

  private func reading<Value>(_ body: () throws(StoreError) -> Value) throws(Failure) -> Value {
    do throws(StoreError) { return try body() } catch {
      throw Failure(DataDirectory.text(of: error))
    }
  }
}
