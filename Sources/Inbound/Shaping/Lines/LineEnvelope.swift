import Codecs
import Records

/// What containers' runtimes put around each line a program writes.
package enum LineEnvelope: String, Sendable, Hashable, CaseIterable {
  /// `2025-11-30T12:00:00.123456789Z stdout F message`: Kubernetes, as the container runtime interface has
  /// it. `P` is a part of a line.
  case cri
  /// Docker's `json-file`: `{"log":"message\n","stream":"stdout","time":"…"}`. A part of a line has no `\n`.
  case docker
}

/// What an envelope says.
struct EnvelopedLine {
  var time: Int64?
  var isError = false
  /// Whether more of the line follows.
  var isPart = false

  /// Reads the envelope and appends what is inside.
  ///
  /// - Returns: nil: it is none; nothing was appended.
  init?(_ line: Span<UInt8>, _ envelope: LineEnvelope, _ times: LineTimes, into inside: inout [UInt8]) {
    let isRead =
      switch envelope {
      case .cri: readCRI(line, times, into: &inside)
      case .docker: readDocker(line, times, into: &inside)
      }
    if !isRead { return nil }
  }

  private mutating func readCRI(_ line: Span<UInt8>, _ times: LineTimes, into inside: inout [UInt8]) -> Bool {
    var scan = LineScan(line)
    var parsed = ParsedLine()
    guard scan.peek(line).isDigit, times.read(line, &scan, into: &parsed), let time = parsed.time else {
      return false
    }
    self.time = time
    if scan.take(" stderr ", line) { isError = true } else if !scan.take(" stdout ", line) { return false }
    let tag = scan.word(line)
    guard !tag.isEmpty, tag.count <= 32 else { return false }
    switch line[tag.lowerBound] {
    case UInt8(ascii: "F"): isPart = false
    case UInt8(ascii: "P"): isPart = true
    default: return false
    }
    if scan.peek(line) == 0x20 { scan.at += 1 }
    for index in scan.rest { inside.append(line[index]) }
    return true
  }

  private mutating func readDocker(
    _ line: Span<UInt8>, _ times: LineTimes, into inside: inout [UInt8]
  ) -> Bool {
    guard line.count > 2, line[0] == UInt8(ascii: "{") else { return false }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(line.count)
    for index in line.indices { bytes.append(line[index]) }
    // Broken JSON: it is no envelope, and the line is taken as it is.
    guard let members = try? DockerMembers(JSONRepair.repaired(bytes)) else { return false }
    guard let log = members.log, let time = members.time else { return false }
    let text = bytes.span.extracting(time)
    var scan = LineScan(text)
    var parsed = ParsedLine()
    guard times.read(text, &scan, into: &parsed), let time = parsed.time else { return false }
    self.time = time
    isError = members.stream.map { bytes.span.is("stderr", in: $0) } ?? false
    isPart = !bytes.span.has("\\n", at: log.upperBound - 2)
    JSONScanner.appendUnescapedInside(bytes.span, log, to: &inside)
    if !isPart, inside.last == 0x0A { inside.removeLast() }
    return true
  }
}

/// The members of Docker's objects, without quotes.
private struct DockerMembers {
  var log: Range<Int>?
  var stream: Range<Int>?
  var time: Range<Int>?

  init(_ bytes: [UInt8]) throws(JSONTree.SyntaxError) {
    var reader = JSONReader(bytes)
    try reader.open()
    var names = JSONNames()
    while let name = try reader.member(&names) {
      let isText = reader.peek() == UInt8(ascii: "\"")
      let start = reader.at
      try reader.skip()
      guard isText else { continue }
      let inside = start + 1..<reader.at - 1
      switch name {
      case "log": log = inside
      case "stream": stream = inside
      case "time": time = inside
      default: break
      }
    }
    try reader.end()
  }
}
