import Records

/// Gives each row its template id.
///
/// A page's skeletons that the block does not know yet are collected apart. At the end of the page those seen
/// twice become templates of the block, and those seen once too, as long as fewer than half of the places
/// went to such: so free text fills half the table and no more. Rows of the rest have the id "unknown", as
/// have texts longer than 4 KiB. When most rows are unknown after a few pages, no more templates are looked
/// for.
struct TemplateAssigner {
  struct Page {
    /// Ids of the page's templates, ascending, with their rows.
    var histogram: [(id: Int, rows: Int)]
    /// Per row, the place of its id in the histogram.
    var places: [UInt16]
  }

  private let block = TemplateTable(
    countMax: TextIndexLayout.templateCountMax, byteCountMax: TextIndexLayout.skeletonByteCountMax)
  private let page = TemplateTable(countMax: 1 << 13, byteCountMax: TextIndexLayout.skeletonByteCountMax)
  /// Per row of the page: an id, or ``pageBase`` plus an entry of `page`.
  private var codes: [UInt32] = []
  /// Entries of `block` that rows of the page have.
  private var touched: [Int] = []
  private var unknownRows = 0
  private var nullRows = 0
  private var singleCount = 0
  private var isTemplating = true
  private var pagesSeen = 0
  private var textsSeen = 0
  private var textsUnknown = 0
  /// By id, the place in the page's histogram.
  private var placeOfID = [UInt16](
    repeating: 0, count: TextIndexLayout.templateCountMax + TextIndexLayout.firstTemplateID)

  private static let pageBase: UInt32 = 1 << 16
  private static let textByteCountMax = 4096
  private static let singleCountMax = TextIndexLayout.templateCountMax / 2
  private static let trialPageCount = 16

  /// Adds the page's next row and the words of its text.
  @unsafe mutating func add(
    _ text: UnsafeRawBufferPointer, scanner: TextScanner, words: WordSet, at row: Int
  ) {
    unsafe scanner.load(text)
    let wantsSkeleton = isTemplating && text.count <= Self.textByteCountMax && !scanner.hasMarker
    scanner.scanSlots(into: words, wantsSkeleton: wantsSkeleton)
    guard wantsSkeleton else {
      addUnknown()
      return
    }
    let hash = scanner.skeletonHash()
    unsafe scanner.withSkeleton { skeleton in
      if let entry = unsafe block.find(skeleton, hash: hash) {
        addBlockEntry(entry, slotBytes: scanner.slotBytes)
      } else if let entry = unsafe page.find(skeleton, hash: hash) ?? page.add(skeleton, hash: hash) {
        _ = page.note(entry, slotBytes: scanner.slotBytes)
        codes.append(Self.pageBase + UInt32(truncatingIfNeeded: entry))
      } else {
        addUnknown()
      }
    }
  }

  private mutating func addBlockEntry(_ entry: Int, slotBytes: SIMD4<UInt64>) {
    if block.note(entry, slotBytes: slotBytes) { touched.append(entry) }
    codes.append(UInt32(truncatingIfNeeded: entry + TextIndexLayout.firstTemplateID))
  }

  private mutating func addUnknown() {
    unknownRows += 1
    codes.append(UInt32(TextIndexLayout.unknownID))
  }

  /// Adds the page's next row, with the text of its row `earlier`.
  mutating func repeatRow(_ earlier: Int, at row: Int) {
    let code = codes[earlier]
    if code >= Self.pageBase {
      _ = page.note(Int(code - Self.pageBase), slotBytes: .zero)
      codes.append(code)
    } else if code == UInt32(TextIndexLayout.unknownID) {
      addUnknown()
    } else {
      addBlockEntry(Int(code) - TextIndexLayout.firstTemplateID, slotBytes: .zero)
    }
  }

  /// Adds the page's next row, which has no text.
  mutating func addNull(at row: Int) {
    nullRows += 1
    codes.append(UInt32(TextIndexLayout.nullID))
  }

  /// Decides which of the page's skeletons become templates, and starts the next page.
  mutating func endPage(rowCount: Int) -> Page {
    invariant(codes.count == rowCount, "a code a row")
    let idOfEntry = admit()
    var histogram: [(id: Int, rows: Int)] = []
    if unknownRows > 0 { histogram.append((TextIndexLayout.unknownID, unknownRows)) }
    if nullRows > 0 { histogram.append((TextIndexLayout.nullID, nullRows)) }
    touched.sort()
    for entry in touched {
      histogram.append((entry + TextIndexLayout.firstTemplateID, block.rowCount(of: entry)))
      block.resetRows(of: entry)
    }
    for (place, entry) in histogram.enumerated() { placeOfID[entry.id] = UInt16(place) }
    var places: [UInt16] = []
    places.reserveCapacity(rowCount)
    for code in codes {
      let id = code < Self.pageBase ? Int(code) : idOfEntry[Int(code - Self.pageBase)]
      places.append(placeOfID[id])
    }
    judgeUse(rowCount: rowCount)
    page.removeAll()
    codes.removeAll(keepingCapacity: true)
    touched.removeAll(keepingCapacity: true)
    unknownRows = 0
    nullRows = 0
    return Page(histogram: histogram, places: places)
  }

  /// The ids of the entries of `page`; those that are admitted move to `block`.
  private mutating func admit() -> [Int] {
    var ids = [Int](repeating: TextIndexLayout.unknownID, count: page.count)
    for entry in ids.indices {
      let rows = page.rowCount(of: entry)
      if rows > 1 || singleCount < Self.singleCountMax, let adopted = block.adopt(entry, of: page) {
        if rows == 1 { singleCount += 1 }
        touched.append(adopted)
        ids[entry] = adopted + TextIndexLayout.firstTemplateID
      } else {
        unknownRows += rows
      }
    }
    return ids
  }

  private mutating func judgeUse(rowCount: Int) {
    pagesSeen += 1
    textsSeen += rowCount - nullRows
    textsUnknown += unknownRows
    if pagesSeen >= Self.trialPageCount && textsUnknown * 2 > textsSeen { isTemplating = false }
  }

  /// Templates of the block.
  var count: Int { block.count }

  /// Writes the slot sets and the templates.
  func write(to head: inout ByteWriter) {
    var numbers: [ByteSet256: Int] = [:]
    var sets: [ByteSet256] = []
    for entry in 0..<block.count {
      let set = block.slotBytes(of: entry)
      if numbers[set] == nil {
        numbers[set] = sets.count
        sets.append(set)
      }
    }
    head.append(varint: sets.count)
    for set in sets {
      for lane in 0..<4 { head.append(set.bits[lane]) }
    }
    for entry in 0..<block.count {
      let skeleton = block.skeleton(entry)
      head.append(varint: numbers[block.slotBytes(of: entry)] ?? 0)
      head.append(varint: skeleton.count)
      head.bytes += skeleton
    }
  }
}
