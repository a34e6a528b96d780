import ArgumentParser
import Codecs
import Foundation
import NIOHTTP1
import Platform

/// Who uses the sessions API: shared by the commands that do.
struct LoginOptions: ParsableArguments {
  @Option(help: "The user of the sessions API (default: who logged in last).") var user: String?
  @Flag(help: "Read the user's password from standard input instead of asking.") var passwordStdin = false

  /// A client with a token: the kept one if it still holds, else a new one by password.
  func client(_ url: String) async throws -> ServerClient {
    let file = TokenFile()
    if let kept = try file.entry(url: url, user: user) {
      let client = ServerClient(url: url, key: kept.token)
      // A list of one's own containers: any valid token may ask for it.
      if try await client.request(.GET, "/api/containers", timeoutSeconds: 30).status != 401 { return client }
    }
    return ServerClient(url: url, key: try await SessionLogin.logIn(url, self, keepingIn: file))
  }
}

/// Logins at the sessions API.
enum SessionLogin {
  /// Asks for what is missing, logs in, keeps the token and returns it.
  static func logIn(_ url: String, _ options: LoginOptions, keepingIn file: TokenFile) async throws -> String
  {
    let known = try file.entry(url: url, user: options.user)?.user
    guard let user = options.user ?? known ?? Terminal.ask("User at \(url): ", isShown: true), !user.isEmpty
    else {
      throw Failure("who are you? Name a user with --user, or run this in a terminal")
    }
    let password = try PasswordInput.read(fromInput: options.passwordStdin, prompt: "Password of \(user): ")
    let body = JSONTree.object([
      JSONTree.Member("username", .string(user)), JSONTree.Member("password", .string(password)),
    ])
    let answer = try await ServerClient(url: url, key: nil).request(
      .POST, "/api/auth/login", headers: [("Content-Type", "application/json")], body: Array(body.text.utf8))
    guard answer.status == 200 else { throw Failure("cannot log in: \(answer.problem)") }
    guard case .string(let token)? = try JSONTree(parsing: answer.body)["token"] else {
      throw Failure("\(url) answered without a token: is it a Cordwood server?")
    }
    try file.keep(TokenFile.Entry(url: url, user: user, token: token))
    return token
  }

  /// Makes the container and the session unless they are there.
  static func makeSession(_ name: SessionName, _ client: ServerClient) async throws {
    for (path, id, value) in [
      ("/api/containers", "container_id", name.container),
      ("/api/containers/\(name.container)/sessions", "session_id", name.session),
    ] {
      let body = JSONTree.object([JSONTree.Member(id, .string(value))])
      let answer = try await client.request(
        .POST, path, headers: [("Content-Type", "application/json")], body: Array(body.text.utf8))
      guard answer.status == 201 || answer.status == 409 else {
        throw Failure("cannot make \(name): \(answer.problem)")
      }
    }
  }
}

/// Passwords from people and scripts; never from an argument, which others can see.
enum PasswordInput {
  /// One line of standard input, or what is typed at the terminal.
  static func read(fromInput: Bool, prompt: String) throws -> String {
    if fromInput {
      guard let line = readLine(strippingNewline: true), !line.isEmpty else {
        throw Failure("standard input has no password")
      }
      return line
    }
    guard let typed = Terminal.ask(prompt, isShown: false) else {
      throw Failure("there is no terminal to ask at: give the password with --password-stdin")
    }
    return typed
  }

  /// A new password: typed twice.
  static func readNew(fromInput: Bool, user: String) throws -> String {
    let password = try read(fromInput: fromInput, prompt: "New password of \(user): ")
    if !fromInput, Terminal.ask("The same again: ", isShown: false) != password {
      throw Failure("the two are not the same; nothing was changed")
    }
    return password
  }
}

/// `cordwood login`.
struct LoginCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "login", abstract: "Log in at the sessions API; import and query --session use the token.",
    usage: "cordwood login [<options>]",
    discussion: """
      The token is kept in ~/.config/cordwood/tokens.json, which only you can read,
      until it expires or you log out.

      Examples:
        cordwood login --user admin
        cordwood login --url https://logs --user deploy --password-stdin < secret
      """)

  @OptionGroup var login: LoginOptions
  @OptionGroup var client: ClientOptions

  func run() async throws {
    try await Failure.shown {
      let url = try client.serverURL()
      _ = try await SessionLogin.logIn(url, login, keepingIn: TokenFile())
      Output.note("logged in at \(url)")
    }
  }
}

/// `cordwood logout`.
struct LogoutCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "logout", abstract: "End the login at the sessions API; its token dies at once.",
    discussion: """
      Examples:
        cordwood logout
        cordwood logout --url https://logs.example --user deploy
      """)

  @Option(help: "The user (default: who logged in last).") var user: String?
  @OptionGroup var client: ClientOptions

  func run() async throws {
    try await Failure.shown {
      let url = try client.serverURL()
      let file = TokenFile()
      guard let entry = try file.entry(url: url, user: user) else {
        throw Failure("nobody is logged in at \(url)")
      }
      let answer = try await ServerClient(url: url, key: entry.token).request(.POST, "/api/auth/logout")
      // 401: it had died already.
      guard answer.status == 200 || answer.status == 401 else { throw Failure(answer.problem) }
      try file.forget(entry)
      Output.note("\(entry.user) is logged out at \(url)")
    }
  }
}
