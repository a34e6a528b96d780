import Codecs
import Records

/// How a file's lines are written: what was told, or found in its first lines; fixed for the file.
package struct LineFormat: Sendable, Hashable {
  package let form: LineForm
  /// What a container's runtime put around each line.
  package let envelope: LineEnvelope?
  /// Of tables.
  package let columns: LineColumns?
  /// Of the user's own lines.
  package let pattern: LinePattern?
  /// Whether objects have several lines.
  package let isPretty: Bool

  package init(
    _ form: LineForm, in envelope: LineEnvelope? = nil, columns: LineColumns? = nil, isPretty: Bool = false
  ) {
    (self.form, self.envelope, self.columns, self.isPretty) = (form, envelope, columns, isPretty)
    pattern = nil
  }

  /// Lines as a pattern has them; those that it does not match go on with the record before.
  package init(_ pattern: LinePattern, in envelope: LineEnvelope? = nil) {
    (form, self.envelope, columns, isPretty, self.pattern) = (.pattern, envelope, nil, false, pattern)
  }

  /// `json`, `docker+timed`: what ``init(named:head:)`` takes.
  package var name: String {
    (envelope.map { $0.rawValue + "+" } ?? "") + form.rawValue + (isPretty ? "-pretty" : "")
  }

  /// - Parameters:
  ///   - name: As in ``name``, with the other names that forms have; an envelope alone has what is found in
  ///     it.
  ///   - head: The file's beginning.
  /// - Returns: nil: no such name, or a table without a header.
  package init?(named name: String, head: [UInt8], times: LineTimes) {
    let parts = name.utf8.split(separator: UInt8(ascii: "+"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    let envelope = LineEnvelope.allCases.first { $0.rawValue.hasBytes(of: parts[0]) }
    guard parts.count == (envelope == nil ? 1 : parts.count), parts.count <= 2, let last = parts.last else {
      return nil
    }
    if let envelope, parts.count == 1 {
      self = Sample(head, times).inside(envelope).format
      return
    }
    if last.hasBytes(of: "json-pretty") {
      self.init(.json, in: envelope, isPretty: true)
      return
    }
    guard let form = LineForm(named: last) else { return nil }
    let columns = form == .csv ? Sample(head, times).header : nil
    guard form != .csv || columns != nil else { return nil }
    let isPretty = form == .json && envelope == nil && Sample(head, times).isPretty
    self.init(form, in: envelope, columns: columns, isPretty: isPretty)
  }

  /// What the first hundred lines are. Text, where fewer than half of those that begin a record are of one
  /// form.
  ///
  /// - Parameter head: The file's beginning; its last line may be cut off.
  package static func detect(_ head: [UInt8], times: LineTimes) -> LineFormat {
    let sample = Sample(head, times)
    for envelope in LineEnvelope.allCases {
      let inside = sample.inside(envelope)
      if inside.share >= 0.9 { return inside.format }
    }
    return sample.format(in: nil)
  }
}

/// The first lines of a file.
private struct Sample {
  private static let linesMax = 100
  private let lines: [[UInt8]]
  private let times: LineTimes
  private let head: [UInt8]

  init(_ head: [UInt8], _ times: LineTimes) {
    var lines = head.split(separator: 0x0A, maxSplits: Sample.linesMax * 2, omittingEmptySubsequences: true)
    // Cut off by the end of what was read, or not yet written.
    if head.last != 0x0A, lines.count > 1 { lines.removeLast() }
    self.lines = lines.prefix(Sample.linesMax).map { $0.last == 0x0D ? Array($0.dropLast()) : Array($0) }
      .filter { !$0.isEmpty }
    (self.head, self.times) = (head, times)
  }

  private init(lines: [[UInt8]], _ times: LineTimes) {
    (self.lines, self.times, head) = (lines, times, [])
  }

  // MARK: Envelopes

  /// What is in the lines of an envelope, and how many of the lines have it.
  func inside(_ envelope: LineEnvelope) -> (format: LineFormat, share: Double) {
    var inner: [[UInt8]] = []
    var (count, isOpen) = (0, false)
    for line in lines {
      var text = isOpen ? inner.removeLast() : []
      guard let read = EnvelopedLine(line.span, envelope, times, into: &text) else {
        if isOpen { inner.append(text) }
        isOpen = false
        continue
      }
      count += 1
      isOpen = read.isPart
      inner.append(text)
    }
    let format = Sample(lines: inner.filter { !$0.isEmpty }, times).format(in: envelope)
    return (format, lines.isEmpty ? 0 : Double(count) / Double(lines.count))
  }

  // MARK: Forms

  func format(in envelope: LineEnvelope?) -> LineFormat {
    if objectCount > 0, objectCount * 2 >= lines.count { return LineFormat(.json, in: envelope) }
    if envelope == nil, isPretty { return LineFormat(.json, isPretty: true) }
    if envelope == nil, let header {
      let rows = lines.dropFirst().count { PairsForm.object(row: $0.span, header) != nil }
      if rows > 0, rows * 10 >= (lines.count - 1) * 9 { return LineFormat(.csv, columns: header) }
    }
    var best = (form: LineForm.text, share: 0.5)
    for form in LineForm.recognised {
      let share = share(of: form)
      // The narrow form wins where a wide one takes hardly more.
      if share > best.share + (best.form == .text ? 0 : 0.05) || best.form == .text && share >= 0.5 {
        best = (form, share)
      }
    }
    return LineFormat(best.form, in: envelope)
  }

  var header: LineColumns? { lines.first.flatMap { LineColumns(header: $0.span) } }

  private var objectCount: Int { lines.count { Sample.isObject($0) } }

  private static func isObject(_ line: [UInt8]) -> Bool {
    var reader = JSONReader(line)
    guard reader.peek() == UInt8(ascii: "{") else { return false }
    do throws(JSONTree.SyntaxError) {
      try reader.skip()
      try reader.end()
      return true
    } catch { return false }
  }

  /// Whether the first line that begins an object does not end it, and a later one does.
  var isPretty: Bool {
    guard let start = head.firstIndex(where: { $0 > 0x20 }), head[start] == UInt8(ascii: "{"),
      let end = JSONRepair.end(of: head, from: start)
    else { return false }
    let object = Array(head[start..<end])
    return object.contains(0x0A) && Sample.isObject(object)
  }

  /// Of the lines that begin a record: those that go on with one count for no form.
  private func share(of form: LineForm) -> Double {
    var line = ParsedLine()
    var trace = TraceShape()
    var (taken, count) = (0, 0)
    for text in lines {
      let span = text.span
      line.clear()
      let isTaken =
        form == .logfmt ? PairsForm.object(logfmt: span) != nil : line.read(span, as: form, times)
      if isTaken {
        taken += 1
        trace.begin(span.extracting(0..<0))
      } else if count > 0, trace.takes(span) {
        continue
      } else {
        trace.begin(span)
      }
      count += 1
    }
    return count == 0 ? 0 : Double(taken) / Double(count)
  }
}
