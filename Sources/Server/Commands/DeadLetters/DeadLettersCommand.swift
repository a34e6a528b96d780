import ArgumentParser
import Codecs
import NIOHTTP1

/// `cordwood deadletters`: entries that Loki refused for good, by way of the server that holds them.
struct DeadLettersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "deadletters", abstract: "List, replay or drop the entries that Loki refused for good.",
    discussion: """
      Asks a running server. The key is the ingest API's administrator's token
      (ingest.admin_token), in a file or in CORDWOOD_KEY.

      Examples:
        cordwood deadletters list
        cordwood deadletters list --token payments-api --json
        cordwood deadletters replay --all
        cordwood deadletters replay 17 18 --url http://logs:8000 --key-file key.txt
        cordwood deadletters drop --token payments-api
      """, subcommands: [List.self, Replay.self, Drop.self])

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List them, the oldest first: number, key, when refused, why.",
      usage: "cordwood deadletters list [<options>]",
      discussion: """
        Examples:
          cordwood deadletters list
          cordwood deadletters list --token payments-api --limit 10 --json
        """)
    @Option(help: "Only those of this key, by its name.") var token: String?
    @Option(help: "The most to list.") var limit = 1_000
    @Flag(help: "JSON lines, with the entry as it was sent.") var json = false
    @OptionGroup var client: ClientOptions

    func run() async throws {
      try await Failure.shown {
        let client = try client.client()
        var after: Int64 = 0
        var left = max(limit, 0)
        while left > 0 {
          var path = "/v1/admin/deadletters?limit=\(min(left, 1_000))&after=\(after)"
          if let token { path += "&token=\(token.percentEncoded)" }
          let tree = try await DeadLettersCommand.ask(client, .GET, path)
          guard case .array(let letters)? = tree["dead_letters"] else {
            throw Failure("\(client.url) is no Cordwood server of this version")
          }
          for letter in letters { try Output.show(line(of: letter) + "\n") }
          left -= letters.count
          guard case .int64(let next)? = tree["next"] else { return }
          after = next
        }
      }
    }

    private func line(of letter: JSONTree) -> String {
      if json { return letter.text }
      return ["id", "token", "refused_at", "reason"].map { name in
        letter[name]?.words ?? letter[name]?.text ?? ""
      }.joined(separator: "\t")
    }
  }

  /// Which ones a command is about.
  struct Choice: ParsableArguments {
    @Argument(help: "Their numbers.") var numbers: [Int64] = []
    @Option(help: "All of this key, by its name.") var token: String?
    @Flag(help: "All there are.") var all = false

    func validate() throws {
      guard [!numbers.isEmpty, token != nil, all].filter({ $0 }).count == 1 else {
        throw ValidationError("give numbers, or --token NAME, or --all")
      }
    }

    var body: [UInt8] {
      if all { return Array(#"{"all":true}"#.utf8) }
      let tree: JSONTree =
        if let token {
          .object([JSONTree.Member("token", .string(token))])
        } else {
          .object([JSONTree.Member("ids", .array(numbers.map { .int64($0) }))])
        }
      return Array(tree.text.utf8)
    }
  }

  struct Replay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Send them once more; those that Loki takes are dead letters no longer.",
      usage: "cordwood deadletters replay [<numbers> ...] [<options>]",
      discussion: """
        Examples:
          cordwood deadletters replay --all
          cordwood deadletters replay 17 18
        """)
    @OptionGroup var choice: Choice
    @OptionGroup var client: ClientOptions

    func run() async throws {
      try await Failure.shown {
        let count = try await DeadLettersCommand.change("replay", "replayed", choice, try client.client())
        Output.note("\(count) forwarded")
      }
    }
  }

  struct Drop: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove them for good from those that wait; their records stay.",
      usage: "cordwood deadletters drop [<numbers> ...] [<options>]",
      discussion: """
        Examples:
          cordwood deadletters drop --token payments-api
          cordwood deadletters drop 17
        """)
    @OptionGroup var choice: Choice
    @OptionGroup var client: ClientOptions

    func run() async throws {
      try await Failure.shown {
        let count = try await DeadLettersCommand.change("drop", "dropped", choice, try client.client())
        Output.note("\(count) dropped")
      }
    }
  }

  private static func change(
    _ verb: String, _ member: String, _ choice: Choice, _ client: ServerClient
  ) async throws -> Int64 {
    let tree = try await ask(client, .POST, "/v1/admin/deadletters/\(verb)", body: choice.body)
    guard case .int64(let count)? = tree[member] else {
      throw Failure("\(client.url) is no Cordwood server of this version")
    }
    return count
  }

  private static func ask(
    _ client: ServerClient, _ method: HTTPMethod, _ path: String, body: [UInt8]? = nil
  ) async throws -> JSONTree {
    let headers = body == nil ? [] : [("Content-Type", "application/json")]
    let answer = try await client.request(method, path, headers: headers, body: body)
    // A body that is not JSON is no answer of ours, whatever its status.
    guard let tree = try? JSONTree(parsing: answer.body) else {
      throw Failure("\(client.url) answered status \(answer.status)")
    }
    guard answer.status == 200 else {
      let text = tree["message"]?.words ?? tree["detail"]?.words ?? "the request failed"
      throw Failure("\(client.url): \(text) (status \(answer.status))")
    }
    return tree
  }
}

extension JSONTree {
  /// The text of a string; nil for everything else.
  fileprivate var words: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }
}
