import Access
import ArgumentParser
import Codecs
import Foundation
import Server

/// `cordwood users`: the users of a data directory, whether its server runs or not.
struct UsersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "users", abstract: "Manage the users of a data directory.",
    discussion: """
      Works on DATA/control.sqlite, also while the server runs: it sees changes
      before the command ends. Passwords come from the terminal or from standard
      input, never from an argument.

      Examples:
        cordwood users add alice --data-dir /var/lib/cordwood
        cordwood users add deploy --role admin --password-stdin < password.txt
        cordwood users list
        cordwood users password alice
        cordwood users remove alice --transfer-to bob
        cordwood users grant alice native/shop --role reader
      """,
    subcommands: [
      Add.self, List.self, SetPassword.self, Remove.self, Grant.self, Revoke.self, Grants.self,
    ])

  enum RoleName: String, ExpressibleByArgument, CaseIterable {
    case user, admin
    var role: Role { self == .admin ? .admin : .user }
  }

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a user.", usage: "cordwood users add <name> [<options>]")
    @Argument(help: "The new user's name.") var name: String
    @Option(help: "user or admin.") var role = RoleName.user
    @Flag(help: "Read the password from standard input.") var passwordStdin = false
    @Flag(help: "Also in a directory that no server has used yet.") var create = false
    @OptionGroup var place: ControlPlace

    func run() async throws {
      try await change(place, creates: create) { accounts in
        let password = try PasswordInput.readNew(fromInput: passwordStdin, user: name)
        try await accounts.create(name: name, password: password, role: role.role)
        Output.note("the user \(name) was made")
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the users.")
    @OptionGroup var place: ControlPlace

    func run() async throws {
      try await place.read { services in
        for user in services.accounts.users() {
          let date = RFC3339.string(user.createdAt / 1_000_000_000 * 1_000_000_000)
          try Output.show("\(user.name)\t\(user.role.rawValue)\t\(date)\n")
        }
      }
    }
  }

  struct SetPassword: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "password", abstract: "Set a user's password; all of their tokens die.",
      usage: "cordwood users password <name> [<options>]")
    @Argument(help: "The user's name.") var name: String
    @Flag(help: "Read the password from standard input.") var passwordStdin = false
    @OptionGroup var place: ControlPlace

    func run() async throws {
      try await change(place) { accounts in
        guard accounts.users().contains(where: { $0.name == name }) else { throw AccessError.unknownUser }
        let password = try PasswordInput.readNew(fromInput: passwordStdin, user: name)
        try await accounts.setPassword(name: name, password)
        Output.note("the password of \(name) was changed")
      }
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a user; their tokens die.", usage: "cordwood users remove <name> [<options>]")
    @Argument(help: "The user's name.") var name: String
    @Option(help: "Who gets the user's containers.") var transferTo: String?
    @OptionGroup var place: ControlPlace

    func run() async throws {
      try await change(place) { accounts in
        try await accounts.remove(name: name, heir: transferTo)
        Output.note("the user \(name) was removed")
      }
    }
  }

  private static func change(
    _ place: ControlPlace, creates: Bool = false, _ body: (Accounts) async throws -> Void
  ) async throws {
    try await place.change(creates: creates) { try await body($0.accounts) }
  }
}

extension ConfigurationTree {
  /// Lays a configuration file over what is there.
  mutating func overlay(file path: String) throws(ConfigurationError) {
    let text: String
    do { text = try String(contentsOfFile: path, encoding: .utf8) } catch {
      throw .unreadable(path: path, reason: "the file does not exist or is not UTF-8 text")
    }
    try overlay(yaml: text, path: path)
  }
}
