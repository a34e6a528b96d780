import Records

/// Heads by the time from which their age counts, the oldest first. Entries come almost in that order.
struct AgeList {
  struct Entry {
    /// Nanoseconds since 1970.
    var time: Int64
    /// The head's oldest row when it was listed: with another one the entry says nothing any more.
    var oldest: Int64
    var partition: Partition
  }

  private var entries: [Entry] = []
  private var start = 0

  var first: Entry? { start < entries.count ? entries[start] : nil }

  mutating func removeFirst() {
    start += 1
    if start > 64, start * 2 > entries.count {
      entries.removeFirst(start)
      start = 0
    }
  }

  mutating func insert(_ entry: Entry) {
    var low = start
    var high = entries.count
    if let last = entries.last, last.time <= entry.time { low = high }
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].time <= entry.time { low = middle + 1 } else { high = middle }
    }
    entries.insert(entry, at: max(low, start))
  }
}
