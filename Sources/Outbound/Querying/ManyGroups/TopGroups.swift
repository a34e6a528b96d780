/// The first of many groups, in order.
enum TopGroups {
  /// Whether so many of `count` are found by sorting all.
  static func isSorting(_ most: Int, of count: Int) -> Bool { most > count / 8 }

  /// The first `most` of the groups below `count` as `precedes` orders them, which is a strict total order.
  /// Of few, one comparison a group, about: a heap holds the best so far.
  static func first(_ most: Int, of count: Int, by precedes: (Int32, Int32) -> Bool) -> [Int32] {
    if isSorting(most, of: count) {
      return Array((0..<Int32(count)).sorted(by: precedes).prefix(most))
    }
    guard most > 0 else { return [] }
    // The last of the best so far is its root.
    var heap = (0..<Int32(most)).sorted { precedes($1, $0) }
    for group in Int32(most)..<Int32(count) where precedes(group, heap[0]) {
      var place = 0
      while true {
        var child = 2 * place + 1
        guard child < most else { break }
        if child + 1 < most, precedes(heap[child], heap[child + 1]) { child += 1 }
        guard precedes(group, heap[child]) else { break }
        heap[place] = heap[child]
        place = child
      }
      heap[place] = group
    }
    return heap.sorted(by: precedes)
  }
}
