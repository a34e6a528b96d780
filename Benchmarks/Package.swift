// swift-tools-version: 6.2
import PackageDescription

// The load generator stands apart: it knows the server by its HTTP API only.
let package = Package(
  name: "benchmarks",
  targets: [
    .executableTarget(name: "cordwood-load", path: "Sources/cordwood-load")
  ],
  swiftLanguageModes: [.v6])
