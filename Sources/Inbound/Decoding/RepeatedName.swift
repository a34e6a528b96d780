import Codecs
import Records

/// The name that an object has twice, for those who sent it.
enum RepeatedName {
  /// The first such name in an entry, or one that stands beside the member `overflow` and in it; nil: it was
  /// not found. Costs what reading the entry does.
  static func find(in entry: Span<UInt8>, beside overflow: String?) -> String? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(entry.count)
    for index in entry.indices { bytes.append(entry[index]) }
    let tree: JSONTree
    do throws(JSONTree.SyntaxError) { tree = try JSONTree(parsing: bytes) } catch {
      return error.repeatedName
    }
    guard case .object(let members) = tree else { return nil }
    let names = Set(members.map { Name($0.name) })
    guard let overflow, case .object(let inner)? = tree[overflow] else { return nil }
    return inner.first { names.contains(Name($0.name)) }.map(\.name.told)
  }
}
