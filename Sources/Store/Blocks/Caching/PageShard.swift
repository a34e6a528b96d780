/// A part of the page cache: decoded parts within a bound of bytes, given up by S3-FIFO (Yang, Zhang, Qiu,
/// Yue, Rashmi: FIFO queues are all you need for cache eviction, SOSP 2023).
///
/// What comes is first in a small queue, a tenth of the bytes. What is found there twice before its turn to
/// go comes to the main queue; the rest goes, and its name is remembered for about as long as a stay in the
/// main queue lasts: what comes back meanwhile goes to the main queue at once. So a scan over more than
/// there is room for passes through the small queue and pushes out nothing that others come back for.
struct PageShard {
  /// Found so often in the small queue, a part stays.
  private static let usesToStay: UInt8 = 2
  private static let usesMax: UInt8 = 3
  /// Names of parts that are not held: at most a MiB of them.
  private static let ghostsMax = 16_384

  private struct Node {
    let part: DecodedPart
    let bytes: Int
    var uses: UInt8 = 0
    var isMain: Bool
  }

  private var nodes: [PageKey: Node] = [:]
  private var small = FirstInFirstOut<PageKey>()
  private var main = FirstInFirstOut<PageKey>()
  private var smallBytes = 0
  /// A part that is not held.
  private struct Ghost {
    let bytes: Int
    /// Whose scan asked for it last; 0: nobody's.
    var scan: UInt64 = 0
  }

  /// Names of what went from the small queue, or was asked for.
  private var ghosts: [PageKey: Ghost] = [:]
  private var ghostQueue = FirstInFirstOut<PageKey>()
  private var ghostBytes = 0
  /// Of all parts.
  private(set) var bytes = 0
  private(set) var hits = 0
  private(set) var misses = 0
  let bytesMax: Int

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  var count: Int { nodes.count }

  mutating func find(_ key: PageKey) -> DecodedPart? {
    guard let place = nodes.index(forKey: key) else { return nil }
    hits += 1
    if nodes.values[place].uses < PageShard.usesMax { nodes.values[place].uses += 1 }
    return nodes.values[place].part
  }

  /// Keeps the part unless one of that name is there or it would take over an eighth of all. What had to go
  /// is added to `gone`, to be let go where no lock is held.
  mutating func insert(_ key: PageKey, _ part: DecodedPart, gone: inout [DecodedPart]) {
    let size = part.byteCount
    misses += 1
    guard nodes[key] == nil, size <= bytesMax / 8 else { return }
    evict(to: bytesMax - size, gone: &gone)
    let isMain = forgetGhost(key)
    nodes[key] = Node(part: part, bytes: size, isMain: isMain)
    bytes += size
    if isMain {
      main.append(key)
    } else {
      small.append(key)
      smallBytes += size
    }
  }

  /// Gives parts up until the rest takes `bytesMax` at most.
  mutating func evict(to bytesMax: Int, gone: inout [DecodedPart]) {
    while bytes > bytesMax, !nodes.isEmpty {
      if smallBytes > self.bytesMax / 10 || main.isEmpty { evictSmall(&gone) } else { evictMain(&gone) }
    }
  }

  private mutating func evictSmall(_ gone: inout [DecodedPart]) {
    guard let key = small.popFirst(), var node = nodes[key] else { return }
    smallBytes -= node.bytes
    if node.uses >= PageShard.usesToStay {
      node.uses = 0
      node.isMain = true
      nodes[key] = node
      main.append(key)
      return
    }
    remove(key, node, &gone)
    addGhost(key, bytes: node.bytes)
  }

  private mutating func addGhost(_ key: PageKey, bytes: Int, scan: UInt64 = 0) {
    ghostBytes += bytes - (ghosts.updateValue(Ghost(bytes: bytes, scan: scan), forKey: key)?.bytes ?? 0)
    ghostQueue.append(key)
    while ghostBytes > bytesMax - bytesMax / 10 || ghosts.count > PageShard.ghostsMax,
      let oldest = ghostQueue.popFirst()
    {
      ghostBytes -= ghosts.removeValue(forKey: oldest)?.bytes ?? 0
    }
    // Names that came back are in the queue still.
    if ghostQueue.count > 2 * ghosts.count + 64 { ghostQueue.removeAll { ghosts[$0] == nil } }
  }

  private mutating func evictMain(_ gone: inout [DecodedPart]) {
    guard let key = main.popFirst(), var node = nodes[key] else { return }
    if node.uses > 0 {
      node.uses -= 1
      nodes[key] = node
      main.append(key)
    } else {
      remove(key, node, &gone)
    }
  }

  private mutating func remove(_ key: PageKey, _ node: Node, _ gone: inout [DecodedPart]) {
    nodes[key] = nil
    bytes -= node.bytes
    gone.append(node.part)
  }

  /// Whether the name of a part that is not held is remembered; from now on it is.
  ///
  /// - Parameter scan: Who asks, if not 0: what the same one asked for last is not remembered.
  mutating func remember(_ key: PageKey, bytes: Int, scan: UInt64) -> Bool {
    if let ghost = ghosts[key] {
      guard scan != 0, ghost.scan == scan else { return true }
      misses += 1
      return false
    }
    misses += 1
    addGhost(key, bytes: bytes, scan: scan)
    return false
  }

  /// Whether the name was remembered; it stays in its queue, where it means nothing any more.
  private mutating func forgetGhost(_ key: PageKey) -> Bool {
    guard let ghost = ghosts.removeValue(forKey: key) else { return false }
    ghostBytes -= ghost.bytes
    return true
  }

  /// Drops all parts of a block. O(parts).
  mutating func drop(block: UInt64, gone: inout [DecodedPart]) {
    for (key, node) in nodes where key.block == block {
      if !node.isMain { smallBytes -= node.bytes }
      remove(key, node, &gone)
    }
    small.removeAll { $0.block == block }
    main.removeAll { $0.block == block }
    ghostQueue.removeAll { $0.block == block || ghosts[$0] == nil }
    for (key, ghost) in ghosts where key.block == block {
      ghosts[key] = nil
      ghostBytes -= ghost.bytes
    }
  }
}

/// A queue in an array; what was taken from its front is given back now and then.
struct FirstInFirstOut<Element> {
  private var elements: [Element] = []
  private var first = 0

  var isEmpty: Bool { first == elements.count }
  var count: Int { elements.count - first }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func popFirst() -> Element? {
    guard first < elements.count else { return nil }
    defer {
      first += 1
      if first >= 64, first * 2 > elements.count {
        elements.removeFirst(first)
        first = 0
      }
    }
    return elements[first]
  }

  mutating func removeAll(where isUnwanted: (Element) -> Bool) {
    elements.removeFirst(first)
    first = 0
    elements.removeAll(where: isUnwanted)
  }
}
