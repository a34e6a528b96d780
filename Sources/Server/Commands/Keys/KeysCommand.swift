import Access
import ArgumentParser
import Codecs
import Records
import Server

/// `cordwood keys`: API keys of a data directory, whether its server runs or not.
struct KeysCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys", abstract: "Manage the API keys of a data directory.",
    discussion: """
      Works on DATA/control.sqlite, also while the server runs: it sees changes
      before the command ends. A key is shown once, when it is made; only its
      SHA-256 is kept. Keys of the configuration are not listed here.

      Examples:
        cordwood keys create shop-logs --realm native --tenant shop --role writer
        cordwood keys create n8n --realm workflow --tenant client_1 --data-dir ./data
        cordwood keys create payments-api --realm ingest
        cordwood keys list
        cordwood keys revoke shop-logs
      """, subcommands: [Create.self, List.self, Revoke.self])

  enum RealmName: String, ExpressibleByArgument, CaseIterable {
    case workflow, native, ingest

    var realm: Realm {
      switch self {
      case .workflow: .workflow
      case .native: .native
      case .ingest: .ingest
      }
    }
  }

  enum RoleName: String, ExpressibleByArgument, CaseIterable {
    case reader, writer, user, admin

    var role: Role {
      switch self {
      case .reader: .reader
      case .writer: .writer
      case .user: .user
      case .admin: .admin
      }
    }
  }

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a key and print it, this once.",
      usage: "cordwood keys create <name> --realm <realm> [<options>]")
    @Argument(help: "The key's name, for listings and logs.") var name: String
    @Option(help: "Which API takes it: workflow, native or ingest.") var realm: RealmName
    @Option(help: "Whose records it writes: for workflow keys the client's id, for ingest keys left out.")
    var tenant: String?
    @Option(help: "reader, writer, user (reads and writes) or admin; ingest keys: writer.")
    var role: RoleName?
    @Option(help: "What it is for.") var description = ""
    @Flag(help: "Also in a directory that no server has used yet.") var create = false
    @OptionGroup var place: ControlPlace

    func run() async throws {
      let fallback: String? = realm == .ingest ? name : nil
      guard let tenant = tenant ?? fallback else {
        throw ValidationError("Missing expected argument '--tenant <tenant>'")
      }
      let role = role?.role ?? (realm == .ingest ? .writer : .user)
      try await place.change(creates: create) { services in
        let key = try await services.keys.create(
          realm: realm.realm, name: name, tenant: tenant, role: role, purpose: description)
        try show(key)
        Output.note("the key \(name) was made; it is not shown again")
        if realm.realm == .native, services.keys.keys().count(where: { $0.tenant.realm == .native }) == 1 {
          Output.note(
            "it is the first of the native API, which refuses requests without one from now on; what was "
              + "stored without is the tenant default's (native.open_tenant): --tenant default reaches it")
        }
      }
    }

    /// A key that nobody saw holds all the same, also when whoever was to read it had gone.
    private func show(_ key: String) throws(Failure) {
      do throws(Failure) { try Output.print(key + "\n") } catch {
        let place = place.dataDir.map { " --data-dir \($0)" } ?? place.config.map { " --config \($0)" } ?? ""
        let revoke = "cordwood keys revoke \(name) --realm \(realm.rawValue)\(place)"
        throw Failure(
          "\(error): the key \(name) was made but could not be shown: revoke it with `\(revoke)`")
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the keys: realm, name, tenant, role, when made, when revoked.")
    @OptionGroup var place: ControlPlace

    func run() async throws {
      try await place.read { services in
        for key in services.keys.keys() {
          let columns = [
            key.tenant.realm.name, key.name, key.tenant.name, key.role.rawValue,
            KeysCommand.date(key.createdAt),
            key.revokedAt.map(KeysCommand.date) ?? "-",
          ]
          try Output.show(columns.joined(separator: "\t") + "\n")
        }
      }
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End a key.", usage: "cordwood keys revoke <name> [<options>]")
    @Argument(help: "The key's name.") var name: String
    @Option(help: "Which API takes it; needed if several have a key of this name.") var realm: RealmName?
    @OptionGroup var place: ControlPlace

    func run() async throws {
      try await place.change { services in
        let realms = services.keys.keys().filter { $0.name == name && $0.revokedAt == nil }.map(
          \.tenant.realm)
        guard realm != nil || realms.count <= 1 else {
          throw Failure("several APIs have a key of this name: say which with --realm")
        }
        guard let chosen = realm?.realm ?? realms.first else { throw AccessError.unknownKey }
        try await services.keys.revoke(name: name, realm: chosen)
        Output.note("the key \(name) was revoked")
      }
    }
  }

  private static func date(_ nanoseconds: Int64) -> String {
    RFC3339.string(nanoseconds / 1_000_000_000 * 1_000_000_000)
  }
}
