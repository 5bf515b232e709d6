// swift-tools-version: 6.3
import PackageDescription

// A package of its own, so that what is measured against never becomes a user's dependency.
let package = Package(
  name: "eddy-benchmarks",
  dependencies: [
    .package(name: "eddy", path: ".."),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
  ],
  targets: [
    .executableTarget(
      name: "hello-server",
      dependencies: [
        .product(name: "EddyHTTP", package: "eddy"),
        .product(name: "Logging", package: "swift-log"),
      ])
  ],
  swiftLanguageModes: [.v6]
)
