// swift-tools-version: 6.2
import PackageDescription

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

// Apache Arrow lies in .deps/arrow whether it is the system's or the downloaded one (scripts/setup).
let arrowLibraries = Context.packageDirectory + "/.deps/arrow/lib"

// scripts/dist builds what is shipped: it finds Arrow beside itself alone, and has SQLite inside.
let isShipped = Context.environment["CORDWOOD_DIST"] == "1"
let searchPaths =
  isShipped
  ? ["-L", Context.packageDirectory + "/.build-dist/static"]
  : ["-Xlinker", "-rpath", "-Xlinker", arrowLibraries]

// CORDWOOD_CORE=1 leaves the edge, the server and their dependencies (SwiftNIO, TLS) out: the core then
// builds from nothing in well under a minute.
let coreOnly = Context.environment["CORDWOOD_CORE"] == "1"

/// Whether SwiftPM reads this as another package's dependency: in a checkout, or, while it looks for
/// versions, at the root of a repository. Such a package gets CordwoodLogging alone, and ranges of versions
/// (Docs/decisions/0042-logging-product.md). By path a package asks for it by CORDWOOD_LOGGING=1.
func isDependency() -> Bool {
  if let asked = Context.environment["CORDWOOD_LOGGING"] { return asked == "1" }
  let folders = Context.packageDirectory.split(separator: "/")
  guard folders.count > 2 else { return folders.isEmpty }
  let above = "/" + folders.dropLast(2).joined(separator: "/")
  return folders[folders.count - 2] == "checkouts" && access(above + "/workspace-state.json", F_OK) == 0
}

let loggingOnly = isDependency()

/// A dependency of CordwoodLogging: exactly this version in our own builds, this or a later one of the same
/// major in another package's, since two exact versions in one build exclude each other.
func shared(url: String, exact version: Version) -> Package.Dependency {
  loggingOnly ? .package(url: url, from: version) : .package(url: url, exact: version)
}

let strict: [SwiftSetting] = [
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// Hot loops over columns: exclusivity is checked in debug builds, not on each access in release. Debug
/// builds optimize them too, since their tests go over millions of values; their checks stay.
let hot: [SwiftSetting] =
  strict + [
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
    .unsafeFlags(["-O"], .when(configuration: .debug)),
  ]

/// What APIs' clients send is decoded in a folder of the API's; together these are a module of their own,
/// which builds, is tested and is fuzzed without the edge.
let entryDecoders = [
  "Audit", "Bulk", "Datadog", "Forward", "GELF", "Ingest", "Insert", "Journal", "Loki", "OTLP", "Sessions",
  "Splunk", "Storing", "Syslog", "Workflow",
].map {
  $0 + "/Decoding"
}

func module(
  _ name: String, in group: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = [],
  settings: [SwiftSetting] = strict
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/\(group)/\(name)", exclude: exclude,
    swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, path: "Tests/\(name)", exclude: exclude,
    swiftSettings: [
      .treatAllWarnings(as: .error), .enableUpcomingFeature("MemberImportVisibility"),
    ])
}

var targets: [Target] = [
  // Base
  module("Records", in: "Base", settings: hot),
  module("Platform", in: "Base", ["Records"], settings: hot),
  module("Codecs", in: "Base", ["Records", "CArrow"], settings: hot),
  .target(
    name: "CArrow", path: "Sources/Base/CArrow",
    cxxSettings: [.headerSearchPath("../../../.deps/arrow/include")],
    linkerSettings: [
      .unsafeFlags(
        ["-L", arrowLibraries, "-Xlinker", "-rpath", "-Xlinker", "$ORIGIN/../lib/arrow"] + searchPaths),
      .linkedLibrary("parquet"), .linkedLibrary("arrow"), .linkedLibrary("stdc++"),
    ]),
  module("Columnar", in: "Base", ["Records", "CArrow", "Codecs"], settings: hot),
  module("Matching", in: "Base", ["Records", "CArrow", "Codecs", "Columnar"], settings: hot),
  // Inbound
  module("Masking", in: "Inbound", ["Records", "Codecs", "Matching"], settings: hot),
  module("Decoding", in: "Inbound", ["Records", "Codecs", "Columnar", "Masking"], settings: hot),
  module("Shaping", in: "Inbound", ["Records", "Codecs", "Matching"], settings: hot),
  .target(
    name: "EntryDecoding", dependencies: ["Records", "Codecs", "Masking", "Decoding", "Shaping"],
    path: "Sources/Edge/APIs", sources: entryDecoders, swiftSettings: hot),
  // Store
  module("Journaling", in: "Store", ["Records", "Platform", "Codecs"], settings: hot),
  module(
    "Blocks", in: "Store", ["Records", "Platform", "Codecs", "Columnar", "Matching"],
    settings: hot),
  module(
    "Storage", in: "Store",
    ["Records", "Platform", "Codecs", "Matching", "Journaling", "Blocks"], settings: hot),
  // Outbound
  module("Querying", in: "Outbound", ["Records", "Codecs", "Matching", "Platform"], settings: hot),
  module("Encoding", in: "Outbound", ["Records", "Codecs", "Columnar"], settings: hot),
  module("Tailing", in: "Outbound", ["Records", "Codecs", "Matching", "Platform"], settings: hot),
  module("Forwarding", in: "Outbound", ["Records", "Codecs", "Columnar", "Platform"], settings: hot),
  // Tests
  .target(
    name: "TestKit", dependencies: ["Records", "Platform", "Codecs"], path: "Tests/TestKit",
    swiftSettings: hot),
  tests("RecordsTests", ["Records"]),
  tests("PlatformTests", ["Platform", "Records", "TestKit"]),
  tests("CodecsTests", ["Codecs", "Records", "TestKit"]),
  tests("ColumnarTests", ["Columnar", "Codecs", "Records", "TestKit"]),
  tests("MatchingTests", ["Matching", "Records", "Codecs", "TestKit"], exclude: ["golden"]),
  tests("DecodingTests", ["Decoding", "Masking", "Records", "Codecs", "TestKit"]),
  tests("ShapingTests", ["Shaping", "Records", "Codecs", "TestKit"]),
  tests("EntryDecodingTests", ["EntryDecoding", "Decoding", "Masking", "Records", "Codecs", "TestKit"]),
  tests(
    "JournalingTests", ["Journaling", "Platform", "Records", "Codecs", "TestKit"],
    exclude: ["golden", "mutants"]),
  tests(
    "BlocksTests",
    ["Blocks", "Columnar", "Matching", "Platform", "Records", "Codecs", "TestKit"],
    exclude: ["golden"]),
  tests(
    "StorageTests",
    ["Storage", "Blocks", "Journaling", "Matching", "Platform", "Records", "Codecs", "TestKit"],
    exclude: ["golden"]),
  tests(
    "QueryingTests", ["Querying", "Encoding", "Matching", "Platform", "Records", "Codecs", "TestKit"]),
  tests("MaskingTests", ["Masking", "Decoding", "Records", "Codecs", "TestKit"]),
  tests(
    "TailingTests",
    [
      "Tailing", "Storage", "Blocks", "Journaling", "Matching", "Platform", "Records", "Codecs",
      "TestKit",
    ]),
  tests(
    "ForwardingTests", ["Forwarding", "Columnar", "Platform", "Records", "Codecs", "TestKit"]),
  tests("EncodingTests", ["Encoding", "Columnar", "Records", "Codecs", "TestKit"]),
  tests(
    "SimulationTests",
    [
      "Storage", "Blocks", "Journaling", "Querying", "Matching", "Platform", "Records", "Codecs",
      "TestKit",
    ], exclude: ["mutants"]),
  tests("ArchitectureTests", []),
]

var dependencies: [Package.Dependency] = []

if loggingOnly { targets = [] }

if loggingOnly || !coreOnly {
  dependencies += [
    shared(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    shared(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    shared(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    shared(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
  ]
  targets += [
    module(
      "CordwoodLogging", in: "Client",
      [
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ]),
    tests(
      "CordwoodLoggingTests",
      [
        "CordwoodLogging", .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
      ]),
  ]
}

if !loggingOnly, !coreOnly {
  dependencies += [
    .package(url: "https://github.com/apple/swift-nio-ssl", exact: "2.37.6"),
    .package(url: "https://github.com/apple/swift-nio-http2", exact: "1.46.0"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ]
  let http: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOTLS", package: "swift-nio"),
    .product(name: "NIOHTTP2", package: "swift-nio-http2"),
    .product(name: "NIOWebSocket", package: "swift-nio"),
    .product(name: "Logging", package: "swift-log"),
  ]
  targets += [
    module(
      "Access", in: "Edge",
      [
        "Records", "Codecs", "Platform", "Forwarding", .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
      ]),
    module(
      "Routing", in: "Edge",
      ["Records", "Codecs", "Columnar", "Decoding", "Masking", "Access", "Tailing"], settings: hot),
    module(
      "APIs", in: "Edge",
      [
        "Routing", "Access", "Records", "Codecs", "Matching", "Columnar", "Decoding", "EntryDecoding",
        "Masking", "Shaping", "Querying", "Encoding", "Tailing", "Platform",
        .product(name: "Crypto", package: "swift-crypto"),
      ], exclude: entryDecoders, settings: hot),
    .target(name: "CWebUI", path: "Sources/Edge/WebUI/CWebUI"),
    module(
      "WebUI", in: "Edge",
      [
        "CWebUI", "Routing", "Records", "Codecs", "Columnar",
        .product(name: "Crypto", package: "swift-crypto"),
      ], exclude: ["CWebUI", "page"]),
    module(
      "HTTP", in: "Edge",
      [
        "Routing", "Decoding", "Records", "Codecs", "Columnar", "Tailing", "Platform",
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "Crypto", package: "swift-crypto"),
      ] + http, settings: hot),
    module(
      "Server", in: "Server",
      [
        "Routing", "APIs", "HTTP", "WebUI", "Access", "Storage", "Journaling", "Blocks", "Querying",
        "Encoding", "Decoding", "EntryDecoding",
        "Masking", "Tailing", "Forwarding", "Columnar", "Matching", "Platform", "Records", "Codecs",
        .product(name: "Yams", package: "Yams"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
      ] + http),
    module(
      "Commands", in: "Server",
      [
        "Server", "Routing", "APIs", "HTTP", "Access", "Storage", "Journaling", "Blocks", "Querying",
        "Encoding", "Shaping", "Columnar", "Matching", "Platform", "Records", "Codecs",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .executableTarget(
      name: "cordwood",
      dependencies: [
        "Commands", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Sources/Server/cordwood", swiftSettings: strict),
    tests(
      "AccessTests",
      [
        "Access", "Forwarding", "Platform", "Records", "Codecs", "TestKit",
        .product(name: "GRDB", package: "GRDB.swift"), .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "CryptoExtras", package: "swift-crypto"),
      ]),
    tests(
      "HTTPTests",
      [
        "HTTP", "Routing", "Decoding", "Columnar", "Records", "TestKit",
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ] + http),
    tests(
      "GatewayTests",
      [
        "Routing", "APIs", "HTTP", "WebUI", "Access", "Storage", "Blocks", "Journaling", "Querying",
        "Encoding", "Decoding", "EntryDecoding",
        "Masking",
        "Tailing", "Platform", "Records", "Codecs", "Columnar", "TestKit",
      ] + http),
    tests(
      "ServerTests",
      [
        "Server", "Routing", "APIs", "HTTP", "Access", "Querying", "Decoding", "EntryDecoding", "Forwarding",
        "Masking", "Records", "TestKit",
      ]
        + http + [.product(name: "Yams", package: "Yams")]),
    tests(
      "CommandsTests",
      [
        "Commands", "Server", "Routing", "APIs", "HTTP", "Access", "Querying", "Tailing", "Decoding",
        "Masking", "Encoding", "Columnar", "Shaping", "Platform", "Storage", "Records", "Codecs", "TestKit",
      ]
        + http + [.product(name: "ArgumentParser", package: "swift-argument-parser")], exclude: ["Help"]),
    tests(
      "ProcessTests",
      ["Records", "Codecs", "TestKit", .product(name: "Crypto", package: "swift-crypto")],
      exclude: ["golden"]),
  ]
}

var products: [Product] = []
if loggingOnly || !coreOnly {
  products += [.library(name: "CordwoodLogging", targets: ["CordwoodLogging"])]
}
if !loggingOnly, !coreOnly { products += [.executable(name: "cordwood", targets: ["cordwood"])] }

let package = Package(
  name: "cordwood",
  // What CordwoodLogging's locks need; the server is for Linux.
  platforms: [.macOS(.v15)],
  products: products, dependencies: dependencies, targets: targets,
  swiftLanguageModes: [.v6], cLanguageStandard: .c2x, cxxLanguageStandard: .cxx20)
