import Platform
import Records
import Synchronization

/// Makes the next segment on a thread of its own, so that commits need not wait for 64 MiB of zeros.
final class SegmentPreparer: SegmentSource {
  private struct Ahead {
    let number: UInt32
    let gate: Gate
    /// nil while it is being made.
    var result: Result<SegmentFile, DiskError>?
  }

  private let inline: InlineSegments
  private let reporter: StoreReporter
  private let thread = DiskThread(name: "segments")
  private let ahead = Mutex<Ahead?>(nil)

  init(directory: String, fileSystem: any FileSystem, segmentBytes: Int, reporter: StoreReporter) {
    self.reporter = reporter
    inline = InlineSegments(directory: directory, fileSystem: fileSystem, segmentBytes: segmentBytes)
  }

  func stay(in home: KnownDirectory) { inline.stay(in: home) }

  func prepare(_ number: UInt32) {
    let gate = Gate()
    ahead.withLock { $0 = Ahead(number: number, gate: gate) }
    thread.submit { [self] in
      let result: Result<SegmentFile, DiskError>
      do throws(DiskError) {
        result = .success(try inline.take(number, byteCount: SegmentFile.headerBytes))
        reporter.done(.segmentMaking)
      } catch {
        result = .failure(error)
        reporter.failed(.segmentMaking, file: error.path, JournalFile.refusal(error))
      }
      ahead.withLock { if $0?.number == number { $0?.result = result } }
      gate.open()
    }
  }

  func take(_ number: UInt32, byteCount: Int) throws(DiskError) -> SegmentFile {
    if let gate = ahead.withLock({ $0?.number == number ? $0?.gate : nil }) {
      gate.wait()
      let result = ahead.withLock { ahead in
        defer { ahead = nil }
        return ahead?.result
      }
      // One that is too small is replaced by a larger of the same number: it holds nothing, and nobody has it
      // open.
      if case .success(let segment)? = result, segment.byteCount >= byteCount { return segment }
      // The disk is going: whoever writes must know. Other failures are tried once more.
      if case .failure(let error)? = result, error.isFailedSync { throw error }
    }
    let segment = try inline.take(number, byteCount: byteCount)
    reporter.done(.segmentMaking)
    return segment
  }
}
