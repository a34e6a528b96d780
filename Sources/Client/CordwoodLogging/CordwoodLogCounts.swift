/// What became of the records since the start. Each that was logged is in one of these numbers but
/// ``loggedCount``, or waits.
public struct CordwoodLogCounts: Sendable, Hashable {
  /// Records that handlers were given.
  public internal(set) var loggedCount = 0
  /// Records that the server has acknowledged: they are on its disk.
  public internal(set) var storedCount = 0
  /// Records that were dropped since ``CordwoodLogOptions/bufferBytesMax`` was reached, were longer than a
  /// batch, or came after the shutdown.
  public internal(set) var droppedCount = 0
  /// Records that the server refused for good, alone or with their batch (4xx).
  public internal(set) var refusedCount = 0
  /// Records that could not be sent within ``CordwoodLogOptions/giveUpAfter``, or before the shutdown's end.
  /// What was under way then may be stored all the same.
  public internal(set) var abandonedCount = 0
  /// Records that wait, those of a request under way included.
  public internal(set) var waitingCount = 0
  /// Bytes of JSON that the waiting records take.
  public internal(set) var waitingBytes = 0

  /// Records that will never be stored.
  public var lostCount: Int { droppedCount + refusedCount + abandonedCount }
}
