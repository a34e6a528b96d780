extension LazyStates {
  /// A row on its way through the automaton.
  private struct Lane {
    let row: Int
    let begin: Int
    let end: Int
    var position: Int
    var state: UInt32
    var generation: Int
  }

  /// Whether `text` matches. Linear in its length.
  func matches(_ text: Span<UInt8>) -> Bool {
    unsafe text.withUnsafeBufferPointer { bytes in
      unsafe finish(lane(row: 0, begin: 0, end: bytes.count), bytes)
    }
  }

  private func lane(row: Int, begin: Int, end: Int) -> Lane {
    Lane(row: row, begin: begin, end: end, position: begin, state: start, generation: generation)
  }

  /// Reads the rest of the lane's row.
  private func finish(_ lane: Lane, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let base = text.baseAddress else { return acceptsAtEnd(lane.state) }
    var state = lane.state
    var position = lane.position
    steps &+= lane.end &- position
    while position < lane.end {
      if isEnded() { return false }
      if state == accepting { return true }
      if state == dead { return false }
      let table = unsafe UnsafePointer(self.table)
      let classes = unsafe UnsafePointer(self.classes)
      // In bounds: the lane's row lies within the text, its state is a row of the table. The fixed states are
      // the three lowest.
      var next = state
      while next > accepting && position < lane.end {
        state = next
        next = unsafe table[Int(state) &+ Int(classes[Int(base[position])])]
        position &+= 1
      }
      if next == unknown {
        next = stepForgetting(state, byteClass: unsafe Int(classes[Int(base[position &- 1])]))
      }
      state = next
    }
    return acceptsAtEnd(state)
  }

  /// Drops the rows of `rows` whose text does not match. Row r is bytes offsets[r] ..< offsets[r + 1];
  /// offsets ascend and end within `bytes` (callers check). Ends early once the work is over.
  ///
  /// Four rows go side by side: one transition waits for the one before it, so a single row would leave the
  /// core idle most of the time.
  func filter(offsets: Span<Int32>, bytes: Span<UInt8>, rows: inout Selection) {
    let candidates = rows.indices()
    var dropped: [Int] = []
    unsafe bytes.withUnsafeBufferPointer { text in
      var lanes: [Lane] = []
      var next = 0
      while true {
        while lanes.count < 4, next < candidates.count {
          let row = Int(candidates[next])
          lanes.append(lane(row: row, begin: Int(offsets[row]), end: Int(offsets[row + 1])))
          next += 1
        }
        if lanes.count < 4 || isEnded() { break }
        let (count, states) = unsafe run(lanes, text)
        steps &+= 4 &* count
        var index = 3
        while index >= 0 {
          if let isMatch = unsafe settle(&lanes[index], count, states[index], text) {
            if !isMatch { dropped.append(lanes[index].row) }
            lanes.swapAt(index, lanes.count - 1)
            lanes.removeLast()
          }
          index -= 1
        }
      }
      for var lane in lanes {
        if lane.generation != generation { restart(&lane) }
        if unsafe !finish(lane, text) { dropped.append(lane.row) }
      }
    }
    for row in dropped { rows.remove(row) }
  }

  private func restart(_ lane: inout Lane) {
    lane.position = lane.begin
    lane.state = start
    lane.generation = generation
  }

  /// Takes all four lanes as many bytes further as the shortest has left; missing transitions lead to
  /// `unknown`.
  private func run(_ lanes: [Lane], _ text: UnsafeBufferPointer<UInt8>) -> (Int, SIMD4<UInt32>) {
    var count = 512
    for lane in lanes { count = min(count, lane.end - lane.position) }
    var (s0, s1, s2, s3) = (lanes[0].state, lanes[1].state, lanes[2].state, lanes[3].state)
    let table = unsafe UnsafePointer(self.table)
    let classes = unsafe UnsafePointer(self.classes)
    guard count > 0, let base = text.baseAddress else { return (0, SIMD4(s0, s1, s2, s3)) }
    let b0 = unsafe base + lanes[0].position
    let b1 = unsafe base + lanes[1].position
    let b2 = unsafe base + lanes[2].position
    let b3 = unsafe base + lanes[3].position
    var index = 0
    // In bounds: each lane has `count` bytes left; table entries are offsets of rows of the table.
    while index < count {
      s0 = unsafe table[Int(s0) &+ Int(classes[Int(b0[index])])]
      s1 = unsafe table[Int(s1) &+ Int(classes[Int(b1[index])])]
      s2 = unsafe table[Int(s2) &+ Int(classes[Int(b2[index])])]
      s3 = unsafe table[Int(s3) &+ Int(classes[Int(b3[index])])]
      index &+= 1
    }
    return (count, SIMD4(s0, s1, s2, s3))
  }

  /// Books `count` bytes read to `state`; the verdict if the row is done.
  private func settle(
    _ lane: inout Lane, _ count: Int, _ state: UInt32, _ text: UnsafeBufferPointer<UInt8>
  ) -> Bool? {
    if lane.generation != generation {
      restart(&lane)
      return nil
    }
    if state == unknown {
      for position in lane.position..<lane.position + count {
        if isEnded() { return false }
        // In bounds: see run.
        lane.state = stepForgetting(lane.state, byteClass: unsafe Int(classes[Int(text[position])]))
      }
      lane.position += count
      if lane.generation != generation {
        // The cache was full: this row is read to its end, so that every reset gets one row done.
        lane.generation = generation
        return unsafe finish(lane, text)
      }
    } else {
      lane.state = state
      lane.position += count
    }
    if lane.state == accepting { return true }
    if lane.state == dead { return false }
    return lane.position == lane.end ? acceptsAtEnd(lane.state) : nil
  }
}
