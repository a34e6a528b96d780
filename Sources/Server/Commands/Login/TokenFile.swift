import Codecs
import Foundation
import Platform

/// Where tokens of the sessions API are kept between commands: one for each server and user, mode 600.
struct TokenFile {
  struct Entry: Sendable, Hashable {
    var url: String
    var user: String
    var token: String
  }

  let path: String

  /// `$XDG_CONFIG_HOME/cordwood/tokens.json`, else `~/.config/cordwood/tokens.json`.
  init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    if let base = environment["XDG_CONFIG_HOME"], base.hasPrefix("/") {
      path = base + "/cordwood/tokens.json"
    } else {
      path = (environment["HOME"] ?? ".") + "/.config/cordwood/tokens.json"
    }
  }

  /// The newest last.
  func entries() throws -> [Entry] {
    guard let isOpen = PrivateFile.isOpenToOthers(path) else { return [] }
    guard !isOpen else {
      throw Failure("\(path) can be read by others: chmod 600 \(path), and log in again if it matters")
    }
    guard let data = FileManager.default.contents(atPath: path) else { throw Failure("cannot read \(path)") }
    // A damaged file is as good as none: the next login writes it anew.
    guard let tree = try? JSONTree(parsing: [UInt8](data)), case .array(let items)? = tree["tokens"] else {
      return []  // as above
    }
    return items.compactMap { item in
      guard case .string(let url)? = item["url"], case .string(let user)? = item["user"],
        case .string(let token)? = item["token"]
      else { return nil }
      return Entry(url: url, user: user, token: token)
    }
  }

  /// The token of the user, or of who logged in last, at `url`.
  func entry(url: String, user: String?) throws -> Entry? {
    try entries().last { $0.url == url && (user == nil || $0.user == user) }
  }

  func keep(_ entry: Entry) throws {
    try write(try entries().filter { $0.url != entry.url || $0.user != entry.user } + [entry])
  }

  func forget(_ entry: Entry) throws {
    try write(try entries().filter { $0 != entry })
  }

  private func write(_ entries: [Entry]) throws {
    let items = entries.map { entry in
      JSONTree.object([
        JSONTree.Member("url", .string(entry.url)), JSONTree.Member("user", .string(entry.user)),
        JSONTree.Member("token", .string(entry.token)),
      ])
    }
    let text = JSONTree.object([JSONTree.Member("tokens", .array(items))]).text
    do {
      let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try PrivateFile.write(Array((text + "\n").utf8), to: path)
    } catch {
      throw Failure("cannot write \(path), where the token is kept")
    }
  }
}
