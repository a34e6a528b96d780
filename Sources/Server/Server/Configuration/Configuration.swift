import Access
import Decoding
import Foundation
import Gateway
import Journaling
import Records

/// The server's settings as values: read once at start, handed to each module as its own small struct.
package struct Configuration: Sendable {
  package enum Environment: String, Sendable { case development, production }
  package enum LogFormat: String, Sendable { case auto, json, text }

  package var environment: Environment
  package var dataDirectory: String
  package var apiKeys: [APIKey]
  package var openTenant: Tenant
  package var host: String
  package var port: Int
  package var extraPorts: [Int]
  package var threads: Int
  package var shutdownSeconds: Int
  package var http: HTTPLimits
  package var decoding: DecodingLimits
  package var durability: Durability
  package var writeReserveBytes: Int
  package var segmentBytes: Int
  package var headBytesMax: Int
  package var archiveAgeSecondsMax: Int
  package var archiveBytesMax: Int
  /// Zero: keep for ever.
  package var retentionSeconds: [Dataset: Int]
  package var queryMemoryBytesMax: Int
  package var queryThreads: Int
  package var diskFreeRatio: Double
  package var logLevel: String
  package var logFormat: LogFormat

  /// Reads every setting with its type and checks what must hold between them.
  package init(_ tree: ConfigurationTree) throws(ConfigurationError) {
    let values = ConfigurationValues(tree: tree)
    environment = Environment(rawValue: try values.text("environment")) ?? .development
    dataDirectory = try values.text("data_dir")
    apiKeys = try values.apiKeys("native.api_keys")
    openTenant = try values.tenant("native.open_tenant")
    host = try values.text("server.host")
    port = try values.integer("server.port")
    extraPorts = try values.integers("server.extra_ports")
    threads = try values.integer("server.threads")
    shutdownSeconds = try values.integer("server.shutdown_seconds")
    http = try values.httpLimits()
    decoding = try values.decodingLimits()
    durability = Durability(rawValue: try values.text("storage.durability")) ?? .fsync
    writeReserveBytes = try values.integer("storage.write_reserve_bytes")
    segmentBytes = try values.integer("journal.segment_bytes")
    headBytesMax = try values.integer("journal.head_bytes_max")
    archiveAgeSecondsMax = try values.integer("archive.max_age_seconds")
    archiveBytesMax = try values.integer("archive.bytes_max")
    var retention: [Dataset: Int] = [:]
    for dataset in Dataset.allCases {
      retention[dataset] = try values.integer("retention.\(dataset.name)_seconds")
    }
    retentionSeconds = retention
    queryMemoryBytesMax = try values.integer("query.memory_bytes_max")
    queryThreads = try values.integer("query.threads")
    diskFreeRatio = try values.number("health.disk_free_ratio")
    logLevel = try values.text("logging.level")
    logFormat = LogFormat(rawValue: try values.text("logging.format")) ?? .auto
    try refuseUnsafe()
  }

  /// `query.threads`, or one a core.
  var queryThreadCount: Int { queryThreads > 0 ? queryThreads : ProcessInfo.processInfo.activeProcessorCount }

  /// Event loops: `server.threads`, or one a core, at most 4.
  var loopCount: Int { threads > 0 ? threads : min(ProcessInfo.processInfo.activeProcessorCount, 4) }

  /// Whether requests without a credential are let in.
  package var isOpen: Bool { apiKeys.isEmpty }

  private func refuseUnsafe() throws(ConfigurationError) {
    let isLoopback = ["127.0.0.1", "::1", "localhost"].contains(host)
    guard apiKeys.isEmpty, environment == .production || !isLoopback else { return }
    let why =
      environment == .production ? "environment is production" : "server.host is \(host), not loopback"
    throw .refused(
      "\(why), but native.api_keys has no key: everybody could read and delete everything. Add one, for example\n"
        + "  native:\n    api_keys:\n      - {name: ops, key: \"<at least 16 random characters>\", tenant: main, role: admin}"
    )
  }
}
