import Journaling
import Records

/// The store's bounds and habits. Most have a key in the configuration; the others are for tests.
package struct StorageOptions: Sendable, Hashable {
  /// The journal's part.
  package var journal = JournalOptions()
  /// `archive.bytes_max`: a partition's head is archived when it holds so many bytes.
  package var archiveBytesMax = 384 << 20
  /// `archive.max_age_seconds`: … or when its oldest row came in so long ago.
  package var archiveAgeSecondsMax = 60
  /// … or when it holds so many frames that are small: under ``smallFrameRows`` rows on average.
  package var archiveFramesMax = 4096
  /// See ``archiveFramesMax``.
  package var smallFrameRows = 64
  /// Heads of fewer bytes that are only old take turns, …
  package var archiveSmallBytes = 1 << 20
  /// … so many a minute.
  package var archiveSmallPerMinute = 60
  /// Bytes of frames one block is written of at most (a frame is not split, so by one frame more).
  package var archiveBlockBytesMax = 512 << 20
  /// Rows one block is written with at most (a frame is not split, so by one frame more).
  package var archiveRowsMax = 1_000_000
  /// A block of so many rows is large enough: it is not merged any more.
  package var mergeRowsMin = 1_000_000
  /// A block whose file has so many bytes is large enough too.
  package var mergeBytesMin = 512 << 20
  /// The most rows a merged block may have.
  package var mergeRowsMax = 8_000_000
  /// The most bytes that the files may have which are merged at once.
  package var mergeBytesMax = 2 << 30
  /// Neighbours are merged when there are so many; each merge rewrites a row, so fewer means more writing.
  package var mergeInputsMin = 8
  /// The most blocks that are merged at once: all of them are open meanwhile.
  package var mergeInputsMax = 64
  /// `retention.*_seconds`: blocks whose rows all came in longer ago are dropped; a missing dataset: never.
  package var retentionSeconds: [Dataset: Int] = [:]
  /// `clock.step_seconds`: how long a step of the clock by more than an hour has to stay before blocks are
  /// dropped for their age by it; 0: no time.
  package var clockStepSeconds = 3_600
  /// Blocks kept open at most; beyond it the one not used for longest is closed, …
  package var openBlocksMax = 512
  /// `storage.open_blocks_bytes_max`: … as beyond the memory that those take which are kept open.
  package var openBlocksBytesMax = 256 << 20
  /// `storage.page_cache_ratio` of the memory there is: bytes of decoded pages kept for the next query; 0:
  /// none are.
  package var pageCacheBytesMax = 0
  /// The manifest is not compacted below it.
  package var manifestBytesMin = Manifest.compactionBytesMin
  /// What a server has without a configuration.
  package init() {}
}
