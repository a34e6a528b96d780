import APIs
import Blocks
import Codecs
import HTTP
import Journaling
import Logging
import Platform
import Querying
import Records
import Routing
import Storage
import Tailing

/// Opens the store that a configuration names.
enum EngineOpening {
  static func open(
    _ configuration: Configuration, reports: StoreReports, clock: any WallClock
  ) async throws -> Engine {
    let store: Storage
    do throws(StorageOpenError) {
      store = try await Storage.open(
        directory: configuration.dataDirectory,
        environment: StoreEnvironment(clock: clock, observer: reports),
        options: configuration.storageOptions, format: ParquetBlocks())
    } catch {
      throw StartError.store(text(of: error, directory: configuration.dataDirectory))
    }
    let identity = try await DiskThread(name: "identity").run { () throws(StartError) in
      try StoreIdentity.loadOrMake(in: configuration.dataDirectory, clock: clock)
    }
    store.start()
    let budget = MemoryBudget(bytesMax: configuration.queryMemoryBytesMax)
    let workers = WorkerPool(threads: configuration.queryThreadCount, name: "query")
    let questions = QueryEngine(source: store, workers: workers, budget: budget)
    let live = LiveFeed(feed: store, source: store, limits: configuration.live, clock: clock)
    return Engine(
      store: store, questions: questions, live: live, identity: identity,
      summary: summary(of: store, directory: configuration.dataDirectory),
      collect: {
        StoreMetrics.collect(store, budget: budget, into: &$0)
        reports.collect(into: &$0)
        LiveMetrics.collect(live.statistics(), into: &$0)
      },
      close: {
        await live.stop()
        await store.stop()
        await reports.drain()
      })
  }

  private static func text(of error: StorageOpenError, directory: String) -> String {
    switch error {
    case .locked(_, let process):
      let who = process.map { " by process \($0)" } ?? ""
      return "the data directory \(directory) is in use\(who)"
    case .store(.corrupt(let file, let offset, let reason)):
      return
        "the store is damaged: \(file), byte \(offset): \(reason); restore that file from a copy (cordwood check names all damage)"
    case .store(.disk(let reason)), .store(.diskFull(let reason)):
      return "cannot open the store in \(directory): \(reason)"
    case .store(let error): return "cannot open the store in \(directory): \(error)"
    }
  }

  private static func summary(of store: Storage, directory: String) -> String {
    let usage = store.usage()
    let head = usage.reduce(0) { $0 + $1.headRows }
    let archived = usage.reduce(0) { $0 + $1.blockRows }
    let blocks = usage.reduce(0) { $0 + $1.blockCount }
    var text = "store \(directory): \(archived) records in \(blocks) blocks, \(head) in the journal"
    if let cut = store.recovery.cut {
      text += "; an unfinished write was cut off (\(cut.file), byte \(cut.offsetBytes))"
    }
    return text
  }
}

extension Configuration {
  /// The store's part of the settings.
  var storageOptions: StorageOptions {
    var options = StorageOptions()
    options.journal.segmentBytes = segmentBytes
    options.journal.headBytesMax = headBytesMax
    options.journal.writeReserveBytes = writeReserveBytes
    options.journal.durability = durability
    options.archiveBytesMax = archiveBytesMax
    options.archiveAgeSecondsMax = archiveAgeSecondsMax
    options.retentionSeconds = retentionSeconds.filter { $0.value > 0 }
    return options
  }
}
