import ArgumentParser
import Records
import Shaping

/// What the user says of his own lines and objects.
struct ShapeOptions: ParsableArguments {
  enum OnUnreadable: String, ExpressibleByArgument, CaseIterable { case now, refuse }

  @Option(
    help: ArgumentHelp(
      """
      Lines as this regular expression has them (RE2's syntax, linear time): its named \
      groups, as (?<time>…) (?<level>…) (?<message>…), give columns and metadata.
      """, valueName: "regex"))
  var pattern: String?
  @Option(
    help: ArgumentHelp(
      """
      Of JSON: the members that give a column, the first one first, before those that are \
      known: message=log.text,note. May be given for each column.
      """, valueName: "column=name,…"))
  var map: [String] = []
  @Option(
    help: """
      What becomes of a record whose time cannot be read: now (it has that of the import, and \
      its text in metadata), or refuse.
      """)
  var onUnreadable = OnUnreadable.now

  var isGiven: Bool { pattern != nil || !map.isEmpty || onUnreadable == .refuse }

  func validate() throws {
    _ = try linePattern()
    _ = try mapping()
  }

  func linePattern() throws -> LinePattern? {
    do throws(StoreError) {
      return try pattern.map { text throws(StoreError) in try LinePattern(text) }
    } catch {
      guard case .invalid(let reason) = error else { throw error }
      throw ValidationError("--pattern: \(reason)")
    }
  }

  func mapping() throws -> FieldMapping {
    var mapping = FieldMapping()
    mapping.refusesUnreadTimes = onUnreadable == .refuse
    for text in map {
      let parts = text.utf8.split(
        separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false
      )
      .map { String(decoding: $0, as: UTF8.self) }
      guard parts.count == 2,
        let column = FieldMapping.Column.allCases.first(where: {
          $0.rawValue.hasBytes(of: parts[0])
        })
      else {
        let names = FieldMapping.Column.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("--map: COLUMN=NAME,… with a column of \(names)")
      }
      if parts[1].utf8.contains(UInt8(ascii: "=")) {
        throw ValidationError("--map: one column each; give --map again for another")
      }
      if let fault = mapping.put(parts[1], for: column) {
        throw ValidationError("--map \(parts[0]): \(fault)")
      }
    }
    return mapping
  }
}
