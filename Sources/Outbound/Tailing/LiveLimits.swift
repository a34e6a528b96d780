/// The bounds of live delivery.
package struct LiveLimits: Sendable, Hashable {
  /// Beyond it ``LiveFeed/subscribe(to:filter:shape:wake:)`` throws `.memoryExhausted`.
  package var subscribersMax = 10_000
  /// Messages that wait for one subscriber. Those beyond it are dropped and counted.
  package var queueMessagesMax = 10_000
  /// Bytes that wait for one subscriber; a frame that finds the queue empty may be larger. Those beyond it
  /// are dropped and counted.
  package var queueBytesMax = 1 << 20
  /// Bytes of all frames that wait for somebody, each counted once however many wait for it. No queue grows
  /// beyond what is left of it, so that stalled subscribers always leave room for the others.
  package var bytesMax = 64 << 20
  /// Bytes of one frame, unless a single message is larger.
  package var frameBytesMax = 64 << 10
  /// Rows of one partition that are looked at before the next partition has its turn.
  package var roundRowsMax = 4_096
  /// What the text patterns of a filter may cost for the rows that are looked at together, in steps (see
  /// `CancellationToken`), some 100 ms: all who follow anything wait meanwhile. Beyond it whoever has the
  /// filter cannot follow it.
  package var patternStepsMax = 1 << 26
  /// While commits come fast they are looked at no more often than this; the first after a rest at once. 0:
  /// always at once.
  package var roundMilliseconds = 5

  /// What holds unless it is configured.
  package init() {}
}

/// Figures of live delivery; totals since the feed was made but for `subscribers`, `groups` and
/// `bytesWaiting`.
package struct LiveStatistics: Sendable, Hashable {
  /// Those who follow something.
  package var subscribers = 0
  /// Different (partition, filter, shape).
  package var groups = 0
  /// Bytes of the frames that wait for somebody.
  package var bytesWaiting = 0
  /// Rounds of the feed's thread.
  package var rounds = 0
  /// Records that came to be looked at, once a partition.
  package var recordsOffered = 0
  /// Messages made; each once a shape, however many filters it passes.
  package var messagesEncoded = 0
  /// Frames put together, each once for all members of its group.
  package var framesMade = 0
  /// Messages queued, summed over subscribers.
  package var messagesQueued = 0
  /// Messages dropped, summed over subscribers.
  package var messagesDropped = 0
  /// Rounds whose rows had left the head and were read from a snapshot.
  package var scans = 0

  /// As a new feed has it.
  package init() {}

  /// Adds what a round counted.
  mutating func add(_ round: LiveStatistics) {
    recordsOffered += round.recordsOffered
    messagesEncoded += round.messagesEncoded
    framesMade += round.framesMade
    messagesQueued += round.messagesQueued
    messagesDropped += round.messagesDropped
  }
}
