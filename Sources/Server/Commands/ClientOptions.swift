import ArgumentParser
import Foundation

/// Where the server is and who asks: shared by the commands that talk to it.
struct ClientOptions: ParsableArguments {
  static let urlDefault = "http://127.0.0.1:8000"

  @Option(help: "The server's URL (else CORDWOOD_URL, else http://127.0.0.1:8000).") var url: String?
  @Option(help: "A file that holds the API key (else CORDWOOD_KEY).") var keyFile: String?

  /// The server's URL without a slash at its end.
  func serverURL() throws -> String {
    var text = url ?? ProcessInfo.processInfo.environment["CORDWOOD_URL"] ?? ClientOptions.urlDefault
    while text.hasSuffix("/") { text.removeLast() }
    guard text.hasPrefix("http://") || text.hasPrefix("https://"), URL(string: text)?.host != nil else {
      throw Failure("the URL must look like http://127.0.0.1:8000")
    }
    return text
  }

  /// The API key, or nil: then the server must be open.
  func key() throws -> String? {
    if let keyFile {
      guard let text = try? String(contentsOfFile: keyFile, encoding: .utf8) else {  // the reason is plain
        throw Failure("cannot read the key file \(keyFile)")
      }
      let key = text.trimmingCharacters(in: .whitespacesAndNewlines)
      guard !key.isEmpty else { throw Failure("the key file \(keyFile) is empty") }
      return key
    }
    let key = ProcessInfo.processInfo.environment["CORDWOOD_KEY"] ?? ""
    return key.isEmpty ? nil : key
  }

  func client() throws -> ServerClient { ServerClient(url: try serverURL(), key: try key()) }
}
