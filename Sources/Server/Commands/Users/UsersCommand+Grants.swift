import Access
import ArgumentParser
import Records
import Server

/// What users may see and do on the page, besides what is their own.
extension UsersCommand {
  struct Grant: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Let a user see a tenant's records on the page.",
      usage: "cordwood users grant <name> <tenant> [--role <role>] [<options>]")
    @Argument(help: "The user's name.") var name: String
    @Argument(help: "Whose records: REALM/NAME, such as native/shop.") var tenant: String
    @Option(help: "reader, writer, user (reads and writes) or admin (deletes too).")
    var role = KeysCommand.RoleName.reader
    @OptionGroup var place: ControlPlace

    func run() async throws {
      try await place.change { services in
        let tenant = try GrantDirectory.tenant(tenant)
        try await services.grants.give(Access.Grant(tenant: tenant, role: role.role), to: name)
        Output.note("\(name) may do with \(tenant) what a \(role.rawValue) may")
      }
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take a grant away.", usage: "cordwood users revoke <name> <tenant> [<options>]")
    @Argument(help: "The user's name.") var name: String
    @Argument(help: "Whose records: REALM/NAME.") var tenant: String
    @OptionGroup var place: ControlPlace

    func run() async throws {
      try await place.change { services in
        let tenant = try GrantDirectory.tenant(tenant)
        try await services.grants.take(tenant, from: name)
        Output.note("the grant of \(tenant) to \(name) was taken away")
      }
    }
  }

  struct Grants: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the grants: user, tenant, role.", usage: "cordwood users grants [<name>] [<options>]")
    @Argument(help: "The user whose grants are listed; without it all.") var name: String?
    @OptionGroup var place: ControlPlace

    func run() async throws {
      try await place.read { services in
        if let name, !services.accounts.users().contains(where: { $0.name.hasBytes(of: name) }) {
          throw AccessError.unknownUser
        }
        for (user, grants) in services.grants.all() where name?.hasBytes(of: user) ?? true {
          for grant in grants {
            try Output.show("\(user)\t\(grant.tenant)\t\(grant.role.rawValue)\n")
          }
        }
      }
    }
  }
}
