import Foundation
import Server
import Testing
import Yams

/// What is shipped beside the program: settings that the server takes, files that container engines can read.
/// No engine runs here.
@Suite struct DistributionTests {
  static func text(_ path: String) throws -> String {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  @Test func theServiceReadsItsConfiguration() throws {
    let yaml = try DistributionTests.text("packaging/cordwood.yaml")
    let configuration = try ConfigurationTests.configuration(yaml: yaml)
    #expect(configuration.environment == .production)
    #expect(configuration.host == "127.0.0.1")
    #expect(configuration.dataDirectory == "/var/lib/cordwood")
  }

  @Test func theContainerIsComposed() throws {
    let tree = try #require(try Yams.load(yaml: try DistributionTests.text("compose.yaml")) as? [String: Any])
    let services = try #require(tree["services"] as? [String: [String: Any]])
    let service = try #require(services["cordwood"])
    #expect(service["ports"] as? [String] == ["127.0.0.1:8000:8000"])
    let environment = try #require(service["environment"] as? [String: String])
    try DistributionTests.check(environment.filter { !$0.value.contains("${") })
    let volumes = try #require(tree["volumes"] as? [String: Any])
    for volume in try #require(service["volumes"] as? [String]) {
      let parts = volume.split(separator: ":").map(String.init)
      #expect(volumes[parts[0]] != nil, "\(parts[0]) is declared")
      #expect(parts[1] == environment["CORDWOOD_DATA_DIR"])
    }
  }

  @Test func theDockerfileIsOne() throws {
    let lines = DistributionTests.instructions(try DistributionTests.text("Dockerfile"))
    let known: Set<String> = [
      "FROM", "RUN", "ADD", "COPY", "USER", "WORKDIR", "VOLUME", "ENV", "EXPOSE", "HEALTHCHECK",
      "ENTRYPOINT", "CMD",
    ]
    #expect(lines.first?.name == "FROM")
    for line in lines { #expect(known.contains(line.name), "\(line)") }
    for line in lines where ["ENTRYPOINT", "CMD"].contains(line.name) {
      #expect(try JSONSerialization.jsonObject(with: Data(line.rest.utf8)) is [String])
    }
    var environment: [String: String] = [:]
    for line in lines where line.name == "ENV" {
      let parts = line.rest.split(separator: "=", maxSplits: 1).map(String.init)
      environment[parts[0]] = parts[1]
    }
    try DistributionTests.check(environment)
    #expect(lines.contains { $0.name == "VOLUME" && $0.rest == environment["CORDWOOD_DATA_DIR"] })
    #expect(lines.contains { $0.name == "USER" && $0.rest == "cordwood" })
  }

  /// Every variable is a setting, and together they are a configuration that may be reached from outside.
  static func check(_ environment: [String: String]) throws {
    var tree = ConfigurationTree()
    #expect(try tree.overlay(environment: environment) == [])
    let configuration = try Configuration(tree)
    #expect(configuration.environment == .production)
    #expect(configuration.host == "0.0.0.0")
    #expect(configuration.dataDirectory == "/var/lib/cordwood")
  }

  /// A Dockerfile's instructions without comments, lines that go on put together.
  static func instructions(_ text: String) -> [(name: String, rest: String)] {
    let whole = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined(separator: "\n")
      .replacingOccurrences(of: "\\\n", with: " ")
    return whole.split(separator: "\n").map { line in
      let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
      return (parts[0], parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : "")
    }
  }
}
