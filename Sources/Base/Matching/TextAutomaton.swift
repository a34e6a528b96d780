import Records

/// What a text condition looks for.
package enum TextPattern: Sendable, Hashable {
  case contains(String, ignoreCase: Bool)
  case word(String)
  case prefix(String)
  case regex(String, ignoreCase: Bool)
}

/// What is known about all texts of a kind: every one matches, none does, or some may.
package enum Verdict: Sendable, Hashable {
  case no, maybe, yes
}

/// A part of a template: bytes as they are, or a slot that any non-empty string over a set of bytes fills.
package enum TemplatePiece: Sendable, Hashable {
  case literal([UInt8])
  case slot(ByteSet256)
}

/// A text condition as a linear-time automaton over UTF-8 bytes. ASCII case only is ignored where case is.
package struct TextAutomaton: Sendable {
  package let pattern: TextPattern
  /// Words (maximal runs of ``ByteSet256/word``, ASCII lower-cased) that every matching text has as whole words.
  package let requiredWords: [[UInt8]]

  /// - Throws: `.invalid` for a broken or too large pattern.
  package init(_ pattern: TextPattern) throws(StoreError) {
    self.pattern = pattern
    self.requiredWords = []
  }

  /// Whether `text` matches.
  package func matches(_ text: Span<UInt8>) -> Bool { false }

  /// Selects the matching rows among those already selected in `candidates`; the others stay dropped.
  package func matchRows(offsets: Span<Int32>, bytes: Span<UInt8>, among candidates: inout Selection) {}

  /// Adds the rows (offsets.count - 1 of them) that match to `selection`.
  package func matchRows(offsets: Span<Int32>, bytes: Span<UInt8>, into selection: inout Selection) {}

  /// What the automaton says of every text made by filling the slots of a template. For many templates
  /// make one ``TemplateRunner``.
  package func verdict(for pieces: [TemplatePiece]) -> Verdict { TemplateRunner(self).verdict(for: pieces) }
}

/// Runs one automaton over many templates, remembering its states. One thread at a time.
package final class TemplateRunner {
  package init(_ automaton: TextAutomaton) {}

  /// `.yes`: every filling matches; `.no`: none does; `.maybe`: not known, or too many states at once.
  package func verdict(for pieces: [TemplatePiece]) -> Verdict { .maybe }
}
