import Blocks
import Journaling
import Platform
import Records

/// What a check looked at and found.
package struct StorageReport: Sendable {
  /// In the order they were found.
  package var findings: [FileFinding] = []
  /// Edits of the manifest.
  package var editCount = 0
  /// Files of the journal.
  package var segmentCount = 0
  /// Frames of the journal, archived ones counted.
  package var frameCount = 0
  /// Rows that are in the journal only.
  package var headRows = 0
  /// Live blocks.
  package var blockCount = 0
  /// Their rows.
  package var blockRows = 0
  /// Bytes of their files.
  package var blockBytes = 0

  /// Nothing looked at yet.
  package init() {}

  /// Whether anything was found that a start does not put right.
  package var isDamaged: Bool { findings.contains { $0.isDamage } }
}

/// Verifies every checksum and invariant of a data directory that no server has open; changes nothing.
/// Blocking.
package enum StorageChecker {
  /// Reads all of `directory`: about a second a million rows in blocks, half a second a GiB of journal.
  ///
  /// - Parameters:
  ///   - registry: What codes on the disk mean; others are damage.
  ///   - progress: Called before each file with its path, its number and how many there are.
  package static func check(
    directory: String, registry: Registry, fileSystem: any FileSystem = LocalFileSystem(),
    progress: (_ path: String, _ index: Int, _ count: Int) -> Void = { _, _, _ in }
  ) -> StorageReport {
    var run = CheckRun(directory: directory, fileSystem: fileSystem, registry: registry)
    run.check(progress)
    return run.report
  }
}

/// One check under way.
private struct CheckRun {
  let directory: String
  let fileSystem: any FileSystem
  let registry: Registry
  var report = StorageReport()
  /// As the manifest says.
  private var store = StoreID.none
  private var generation: UInt64 = 0
  /// Ranges of positions of each tenant's frames, as they come.
  private var ranges: [Tenant: [(positions: Range<Int64>, file: String, offset: Int)]] = [:]

  init(directory: String, fileSystem: any FileSystem, registry: Registry) {
    self.directory = directory
    self.registry = registry
    self.fileSystem = fileSystem
  }

  mutating func check(_ progress: (String, Int, Int) -> Void) {
    let manifest = readManifest()
    let blocks = manifest?.scan.state.blocks.sorted { $0.id < $1.id } ?? []
    let layout = StorageLayout(directory: directory)
    for (index, facts) in blocks.enumerated() {
      let path = layout.block(facts.id, of: facts.partition)
      progress(path, index, blocks.count + 1)
      check(facts, path, archivedThrough: manifest?.scan.state.archivedThrough[facts.partition] ?? 0)
    }
    progress(layout.journal, blocks.count, blocks.count + 1)
    checkJournal(layout.journal, manifest?.scan.state)
    checkNames(Set(blocks.map(\.partition.tenant)).union(ranges.keys))
  }

  /// Bytes decide whose records are whose, and new names have one form; names of before may have another, and
  /// then look like a second tenant's.
  private mutating func checkNames(_ tenants: Set<Tenant>) {
    // `String` compares by canonical equivalence: equal looks lie together.
    let alike = Dictionary(grouping: tenants) { $0.description }
    for (_, tenants) in alike.sorted(by: { $0.key < $1.key }) {
      for tenant in tenants.sorted(by: { Name($0.name) < Name($1.name) }) where !tenant.name.isNormalized {
        let bytes = tenant.name.utf8.prefix(64).map { String($0, radix: 16, uppercase: true) }
        let others = tenants.count > 1 ? "; \(tenants.count - 1) more look the same" : ""
        note(
          directory,
          "the tenant \(tenant) (\(bytes.joined(separator: " "))) has a name that is not in "
            + "Normalization Form C: only its bytes open it\(others)")
      }
    }
  }

  private mutating func add(_ error: StoreError, file: String) {
    switch error {
    case .corrupt(let file, let offset, let reason):
      report.findings.append(.init(file: file, offsetBytes: offset, reason: reason, isDamage: true))
    case .disk(let text), .diskFull(let text), .poisoned(let text), .memoryExhausted(let text),
      .exhausted(let text), .invalid(let text):
      report.findings.append(.init(file: file, offsetBytes: 0, reason: text, isDamage: true))
    case .laterVersion(let file, let version):
      let reason = "made by a later version: format \(version). Nothing is wrong with it"
      report.findings.append(.init(file: file, offsetBytes: 0, reason: reason, isDamage: true))
    case .headFull, .stopping, .idempotencyMismatch, .importElsewhere, .keysExhausted, .clockStepped,
      .cancelled, .deadlineExceeded, .invalidFilter:
      bug("reading files does not end with an answer to a request")
    }
  }

  private mutating func readManifest() -> StorageReader? {
    let path = directory + "/" + Manifest.name
    do throws(StoreError) {
      let reader = try StorageReader(directory: directory, fileSystem: fileSystem, registry: registry)
      report.editCount = reader.scan.editCount
      if reader.scan.end < reader.manifestBytes, reader.scan.hasTornEdit {
        report.findings.append(
          .init(
            file: path, offsetBytes: reader.scan.end, reason: "an edit that was not finished", isDamage: false
          ))
      }
      if let padding = reader.scan.damagedPadding {
        report.findings.append(
          .init(file: path, offsetBytes: padding, reason: "padding that is not zero", isDamage: true))
      }
      checkSurroundings(reader)
      return reader
    } catch {
      add(error, file: path)
      return nil
    }
  }

  private mutating func note(_ file: String, at offset: Int = 0, _ reason: String, isDamage: Bool = false) {
    report.findings.append(.init(file: file, offsetBytes: offset, reason: reason, isDamage: isDamage))
  }

  /// Anchor, and what lies in the store's folders.
  private mutating func checkSurroundings(_ reader: StorageReader) {
    let state = reader.scan.state
    (store, generation) = (state.store, state.generation)
    do throws(StoreError) {
      let anchor: AnchorReading
      do throws(JournalError) {
        anchor = try AnchorReading(directory: directory, fileSystem: fileSystem)
      } catch { throw StoreError(error) }
      if !anchor.exists, state.store != .none { note(anchor.path, "the anchor is missing", isDamage: true) }
      for offset in anchor.brokenOffsets {
        note(anchor.path, at: offset, "a broken slot", isDamage: anchor.brokenOffsets.count > 1)
      }
      do throws(StoreError) {
        try StorageOpening.require(state, fits: anchor, manifest: reader.manifestPath)
      } catch { add(error, file: anchor.path) }
      var survey = try StorageSurvey(
        state, layout: reader.layout, fileSystem: fileSystem, format: ParquetBlocks(), registry: .standard)
      for problem in try survey.judgeUnnamed() { add(problem, file: directory) }
      for path in survey.leftovers { note(path, "no edit of the manifest names it: a start removes it") }
      for path in survey.strays {
        note(path, "the store did not write it: a start moves it to \(reader.layout.lostAndFound)")
      }
    } catch { add(error, file: directory) }
  }

  /// Whether the block is of this store, and not later than the manifest.
  private mutating func checkOrigin(_ path: String) {
    // What cannot be read is told by the block's own check.
    let claim = try? ParquetBlocks().claim(path, on: fileSystem, registry: .standard)
    guard let origin = claim?.origin else { return }
    if store.contradicts(origin.store) { note(path, "a block of another store", isDamage: true) }
    if origin.generation > generation {
      note(
        path, "written after edit \(origin.generation) of the manifest, which ends with edit \(generation)",
        isDamage: true)
    }
  }

  private mutating func check(_ facts: BlockFacts, _ path: String, archivedThrough: Int64) {
    report.blockCount += 1
    report.blockRows += facts.rowCount
    report.blockBytes += facts.byteCount
    if facts.positionEnd > archivedThrough {
      report.findings.append(
        .init(
          file: path, offsetBytes: 0,
          reason:
            "its positions reach \(facts.positionEnd), the manifest says archived through \(archivedThrough)",
          isDamage: true))
    }
    checkOrigin(path)
    for problem in BlockChecker.problems(of: facts, path: path, fileSystem: fileSystem) {
      add(problem.storeError, file: path)
    }
  }

  private mutating func checkJournal(_ path: String, _ state: ManifestState?) {
    var frames = 0
    var headRows = 0
    var ranges = ranges
    defer { self.ranges = ranges }
    var found: [FileFinding] = []
    do throws(JournalError) {
      let reader = try JournalReader(directory: path, fileSystem: fileSystem, registry: registry) {
        (frame) throws(JournalError) in
        frames += 1
        guard let partition = frame.partition else { return }
        let first = frame.header.firstPosition
        let end = first + Int64(frame.header.rowCount)
        let offset = frame.header.place.byte
        ranges[partition.tenant, default: []].append((first..<end, frame.path, offset))
        let archived = state?.archivedThrough[partition] ?? 0
        if end > archived { headRows += frame.header.rowCount }
        if first < archived, archived < end {
          found.append(
            .init(
              file: frame.path, offsetBytes: offset,
              reason: "archived through \(archived), inside this frame",
              isDamage: true))
        }
      }
      report.segmentCount = reader.segments.count
      found += reader.findings
    } catch { add(StoreError(error), file: path) }
    report.frameCount = frames
    report.headRows = headRows
    report.findings += found + CheckRun.overlaps(ranges)
  }

  /// Positions that two frames of one tenant share.
  private static func overlaps(
    _ ranges: [Tenant: [(positions: Range<Int64>, file: String, offset: Int)]]
  ) -> [FileFinding] {
    var found: [FileFinding] = []
    for tenant in ranges.keys.sorted(by: { $0.description < $1.description }) {
      let sorted = (ranges[tenant] ?? []).sorted { $0.positions.lowerBound < $1.positions.lowerBound }
      for (one, next) in zip(sorted, sorted.dropFirst())
      where next.positions.lowerBound < one.positions.upperBound {
        found.append(
          .init(
            file: next.file, offsetBytes: next.offset,
            reason: "position \(next.positions.lowerBound) was given before", isDamage: true))
      }
    }
    return found
  }
}
