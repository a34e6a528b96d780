import GRDB
import Records

/// What is to be said of the names of users in a control database.
package enum ControlNames {
  /// A sentence for each name that is not as new ones are, and for each look that several users have: names
  /// of before stay as they are, and bytes decide.
  ///
  /// All of the database is looked at first. Blocks on the disk, and may leave files of SQLite's beside the
  /// database: a copy is what to give it.
  ///
  /// - Throws: `database`: it is none, or damaged.
  package static func remarks(on path: String) throws(AccessError) -> [String] {
    let names: [String]
    do {
      var configuration = GRDB.Configuration()
      configuration.readonly = true
      let database = try DatabaseQueue(path: path, configuration: configuration)
      if let fault = try database.read({ try $0.integrityFault() }) {
        throw AccessError.database("SQLite finds it damaged: \(fault)")
      }
      names = try database.read { try String.fetchAll($0, sql: "SELECT name FROM users") }
      try database.close()
    } catch { throw AccessError(error, doing: "read the users of \(path)") }
    return remarks(on: names)
  }

  static func remarks(on names: [String]) -> [String] {
    let names = names.map { Name($0) }.sorted()
    var remarks: [String] = []
    for name in names {
      do throws(AccessError) { try ShownName.checkUser(name.text) } catch {
        guard case .invalidName(let reason) = error else { continue }
        remarks.append("the user \(shown(name)) has a name that no new user gets: \(reason)")
      }
    }
    let alike = Dictionary(grouping: names) { Name(ShownName.looks(of: $0.text)) }
    for (_, names) in alike.sorted(by: { $0.key < $1.key }) where names.count > 1 {
      remarks.append("the users \(names.map(shown).joined(separator: ", ")) look alike: they are several")
    }
    return remarks
  }

  /// The name, and the bytes of one that may look like another.
  private static func shown(_ name: Name) -> String {
    guard !name.text.utf8.allSatisfy({ $0 < 0x80 }) else { return name.text }
    let bytes = name.text.utf8.prefix(64).map { String($0, radix: 16, uppercase: true) }
    return "\(name) (\(bytes.joined(separator: " ")))"
  }
}
