import Codecs
import Records

/// The different values of each group.
struct DistinctState: MeasureState {
  private var sets: [DistinctSet] = []
  private var heapBytes = 0
  /// The column whose dictionary ``hashes`` is of.
  private var dictionary: Column?
  /// Of each of the dictionary's values; 0: no row had it yet, or it is 0. Of a single group, all others are
  /// in its set.
  private var hashes: [UInt64] = []

  var byteCount: Int { sets.capacity * MemoryLayout<DistinctSet>.stride + heapBytes }
  var groupCapacity: Int { sets.capacity }

  mutating func keep(_ groups: [Int32]) {
    forgetDictionary()
    sets = groups.map { sets[Int($0)] }
    heapBytes = sets.reduce(0) { $0 + $1.heapBytes }
  }

  mutating func forgetDictionary() {
    dictionary = nil
    hashes = []
  }

  mutating func grow(to groupCount: Int) {
    if sets.count < groupCount { sets += repeatElement(DistinctSet(), count: groupCount - sets.count) }
  }

  mutating func add(_ input: MeasureInput, groups: [Int32]) {
    guard let column = input.column else { bug("a count of values has a column") }
    let groups = groups.span
    var grown = 0
    switch column.type {
    case .int64, .timestamp:
      column.withInt64 { values in
        input.forEach { row in
          let hash = DistinctState.mix(UInt64(bitPattern: values[row]))
          grown &+= sets[Int(groups[row])].insert(hash)
        }
      }
    case .float64:
      column.withFloat64 { values in
        input.forEach { row in
          // Adding 0 makes -0 the same value as 0.
          let hash = DistinctState.mix((values[row] + 0).bitPattern)
          grown &+= sets[Int(groups[row])].insert(hash)
        }
      }
    case .uuid:
      column.withUUIDs { bytes in
        input.forEach { row in
          let hash = Hash64.xxh64(bytes.extracting(row * 16..<row * 16 + 16))
          grown &+= sets[Int(groups[row])].insert(hash)
        }
      }
    case .bool:
      column.withBits { bits in
        input.forEach { row in
          let bit = bits[row >> 3] >> UInt8(row & 7) & 1
          grown &+= sets[Int(groups[row])].insert(UInt64(bit))
        }
      }
    case .utf8, .json: grown = addTexts(column, input, groups)
    }
    heapBytes += grown
  }

  private mutating func addTexts(_ column: Column, _ input: MeasureInput, _ groups: Span<Int32>) -> Int {
    var grown = 0
    if case .dictionary = column.storage { return addDictionary(column, input, groups) }
    column.withText { offsets, bytes in
      input.forEach { row in
        let hash = Hash64.xxh64(bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1])))
        grown &+= sets[Int(groups[row])].insert(hash)
      }
    }
    return grown
  }

  /// A value is hashed once, when the first row has it.
  private mutating func addDictionary(_ column: Column, _ input: MeasureInput, _ groups: Span<Int32>) -> Int {
    var grown = 0
    column.withDictionary { keys, offsets, bytes in
      if !(dictionary?.sharesDictionary(with: column) ?? false) {
        dictionary = column
        hashes = [UInt64](repeating: 0, count: offsets.count - 1)
      }
      let isSingle = sets.count == 1
      var all: [UInt64] = []
      swap(&all, &hashes)
      defer { swap(&all, &hashes) }
      var hashes = all.mutableSpan
      input.forEach { row in
        let key = Int(keys[row])
        var hash = hashes[key]
        if hash != 0, isSingle { return }
        if hash == 0 {
          hash = Hash64.xxh64(bytes.extracting(Int(offsets[key])..<Int(offsets[key + 1])))
          hashes[key] = hash
        }
        grown &+= sets[Int(groups[row])].insert(hash)
      }
    }
    return grown
  }

  /// SplitMix64's finisher, which is one to one.
  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }

  mutating func merge(_ other: any MeasureState, numbers: [Int32]) {
    guard let other = other as? DistinctState else { bug("parts of one measure") }
    for (group, set) in other.sets.enumerated() {
      let number = Int(numbers[group])
      heapBytes -= sets[number].heapBytes
      sets[number].merge(set)
      heapBytes += sets[number].heapBytes
    }
  }

  func values(of function: Measure.Function) -> MeasureValues { .int64(sets.map { Int64($0.count) }) }
}
