// swift-tools-version: 6.2
import PackageDescription

// The load generators stand apart: they know the server by its HTTP API only.
let package = Package(
  name: "benchmarks",
  targets: [
    .target(name: "Client", path: "Sources/Client"),
    .executableTarget(name: "cordwood-load", dependencies: ["Client"], path: "Sources/cordwood-load"),
    .executableTarget(name: "cordwood-live", dependencies: ["Client"], path: "Sources/cordwood-live"),
  ],
  swiftLanguageModes: [.v6])
