import Records

/// Why a text index could not be read.
package enum TextIndexError: Error, Sendable, Hashable {
  /// The bytes are not those a ``TextIndexBuilder`` wrote. Retrying cannot help; scan without the index.
  case corrupt(String)
  /// Written by a version this one does not know.
  case version(UInt8)
}

/// The text index of one block (Docs/formats/text-index.md), read in place. Any number of threads may use it.
package struct TextIndex: Sendable {
  /// Rows of the block.
  package let rowCount: Int
  /// Pages of the block.
  package let pageCount: Int
  /// Of each page but the last.
  package let rowsPerPage: Int
  let head: TextIndexHead
  let sections: TextIndexSections

  /// Checks the directory and the templates; the pages are checked when they are first used.
  package init(_ bytes: Buffer) throws(TextIndexError) {
    let head = try bytes.withSpan(of: UInt8.self) { (span) throws(TextIndexError) in
      try TextIndexHead(span)
    }
    self.head = head
    sections = try TextIndexSections(bytes, head: head)
    rowCount = head.rowCount
    pageCount = head.pageCount
    rowsPerPage = head.rowsPerPage
  }

  /// Bytes held beside the index's own, about: templates, read, take 14 times theirs (measured).
  package var memoryBytes: Int { head.directoryStart * 14 + sections.count * pageCount }

  /// Templates of the block, for those who look into it.
  package var templateCount: Int { head.templates.count }

  /// Bytes of each part, for those who look into it.
  package var partByteCounts: [(part: String, byteCount: Int)] {
    var parts = [("head", head.byteCount)]
    let names = ["histograms", "row ids", "slot words"] + head.nestedColumns.map { "words of " + $0 }
    for (section, name) in names.enumerated() { parts.append((name, sections.byteCount(of: section))) }
    return parts
  }

  /// Rows of a page: ``rowsPerPage``, but for the last one.
  package func rowCount(ofPage page: Int) -> Int { min(rowsPerPage, rowCount - page * rowsPerPage) }

  /// What the index knows of the rows of the text column: one run of the automaton over all templates and a
  /// look at each page's histogram (about a microsecond a page).
  ///
  /// - Parameter cancellation: Told of what it costs; once it is over what is found means nothing.
  package func verdict(
    for automaton: TextAutomaton, cancellation: CancellationToken? = nil
  ) throws(TextIndexError) -> TextVerdict {
    let known = automaton.templates.verdicts
    var found = KnownTemplates.Verdicts()
    var runner: TemplateRunner?
    let isInLiterals = head.split == .characters && automaton.isWordWithoutSlots
    // By id: bit 0 for templates that match, bit 1 for those that may.
    var bits = [UInt8](repeating: 0, count: head.templates.count + TextIndexLayout.firstTemplateID)
    bits[TextIndexLayout.unknownID] = TextVerdict.candidate
    for (index, pieces) in head.templates.enumerated() {
      let verdict: Verdict
      if let before = known[pieces] {
        verdict = before
      } else {
        let running = runner ?? TemplateRunner(automaton, cancellation: cancellation)
        runner = running
        verdict = running.verdict(for: pieces)
        found[pieces] = verdict
      }
      bits[index + TextIndexLayout.firstTemplateID] =
        switch verdict {
        case .yes: TextVerdict.proved
        case .maybe where isInLiterals && !(cancellation?.isOver ?? false):
          automaton.matches(TextIndex.text(of: pieces).span) ? TextVerdict.proved : 0
        case .maybe: TextVerdict.candidate
        case .no: 0
        }
    }
    // What is found when it is over is not known.
    if !(cancellation?.isOver ?? false) { automaton.templates.add(found) }
    let words = automaton.requiredWords(head.split).filter { WordHash.isSlotWord($0) }
      .map { WordHash.hash($0) }
    var pages: [PageVerdict] = []
    pages.reserveCapacity(pageCount)
    for page in 0..<pageCount {
      var verdict = try verdict(of: page, bits: bits)
      if verdict.candidateCount > 0,
        try !mayContain(words, page: page, section: TextIndexSections.words)
      {
        verdict.candidateCount = 0
      }
      pages.append(verdict)
    }
    return TextVerdict(pages: pages, bits: bits, index: self)
  }

  /// A template with `0` for each of its slots.
  private static func text(of pieces: [TemplatePiece]) -> [UInt8] {
    pieces.flatMap { if case .literal(let bytes) = $0 { bytes } else { [UInt8(ascii: "0")] } }
  }

  private func verdict(of page: Int, bits: [UInt8]) throws(TextIndexError) -> PageVerdict {
    let rows = rowCount(ofPage: page)
    return try sections.withPage(page, of: TextIndexSections.histograms) {
      (histogram) throws(TextIndexError) in
      var proved = 0
      var candidates = 0
      var total = 0
      let isWhole = PageIdentifiers.forEachEntry(of: histogram, idLimit: bits.count) { id, count in
        // A varint has 56 bits at most and a page 16,386 entries: no overflow.
        total += count
        proved += count & -Int(bits[id] & 1)
        candidates += count & -Int(bits[id] >> 1)
      }
      guard isWhole, total == rows else { throw .corrupt("page \(page): histogram") }
      return PageVerdict(rowCount: rows, provedCount: proved, candidateCount: candidates)
    }
  }

  /// Whether the filter of a page says that all words may be there.
  private func mayContain(_ words: [UInt32], page: Int, section: Int) throws(TextIndexError) -> Bool {
    guard !words.isEmpty else { return true }
    return try sections.withPage(page, of: section) { (filter) throws(TextIndexError) in
      for word in words {
        guard let may = WordFilter.mayContain(word, in: filter) else {
          throw .corrupt("page \(page): word filter")
        }
        if !may { return false }
      }
      return true
    }
  }

  /// The pages in which a string value inside object column `column` may match; the others have none.
  package func pages(
    nestedIn column: String, matching automaton: TextAutomaton
  ) throws(TextIndexError) -> Selection {
    try pages(nestedIn: column, words: automaton.requiredWords(head.split))
  }

  /// The pages in which a string value inside object column `column` may equal `text`; the others have none.
  package func pages(nestedIn column: String, equalTo text: [UInt8]) throws(TextIndexError) -> Selection {
    try pages(nestedIn: column, words: head.split.words(of: text).map { text[$0].map(\.asciiLowercased) })
  }

  private func pages(nestedIn column: String, words: [[UInt8]]) throws(TextIndexError) -> Selection {
    var result = Selection(rowCount: pageCount, all: true)
    guard let number = head.nestedColumns.firstIndex(of: column), !words.isEmpty else { return result }
    let hashes = words.map { WordHash.hash($0) }
    for page in 0..<pageCount
    where try !mayContain(hashes, page: page, section: TextIndexLayout.fixedSectionCount + number) {
      result.remove(page)
    }
    return result
  }

  /// Reads every byte and checks every sum, for `cordwood check`.
  package func verify() throws(TextIndexError) {
    let noTemplates = [UInt8](
      repeating: 0, count: head.templates.count + TextIndexLayout.firstTemplateID)
    for page in 0..<pageCount {
      _ = try verdict(of: page, bits: noTemplates)
      for section in TextIndexSections.words..<sections.count {
        _ = try mayContain([1], page: page, section: section)
      }
      _ = try identifiers(page: page, bits: noTemplates)
    }
  }

  /// The bits of each row by its template, as two bitmaps.
  func identifiers(
    page: Int, bits: [UInt8]
  ) throws(TextIndexError) -> (proved: [UInt64], candidates: [UInt64]) {
    var wanted: [UInt8] = []
    try sections.withPage(page, of: TextIndexSections.histograms) { (histogram) throws(TextIndexError) in
      guard
        PageIdentifiers.forEachEntry(of: histogram, idLimit: bits.count, { id, _ in wanted.append(bits[id]) })
      else { throw .corrupt("page \(page): histogram") }
    }
    let rows = rowCount(ofPage: page)
    return try sections.withPage(page, of: TextIndexSections.identifiers) {
      (places) throws(TextIndexError) in
      guard let selected = PageIdentifiers.select(places, rowCount: rows, wanted: wanted) else {
        throw .corrupt("page \(page): row ids")
      }
      return (selected.first, selected.second)
    }
  }
}
