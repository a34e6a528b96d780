import Synchronization

/// Where workers that are done leave what they have, and find what others left: so parts are merged by as
/// many workers as there are pairs of them.
final class MergingPlace<Part: Sendable>: Sendable {
  private let waiting = Mutex<Part?>(nil)

  /// Leaves `part` for others, unless another waits: then the caller gets that, to merge it with its own and
  /// come again.
  func leave(_ part: Part) -> Part? {
    waiting.withLock { waiting in
      guard let other = waiting else {
        waiting = part
        return nil
      }
      waiting = nil
      return other
    }
  }

  /// What waits.
  func take() -> Part? {
    waiting.withLock { waiting in
      defer { waiting = nil }
      return waiting
    }
  }
}
