// swift-tools-version: 6.3
import PackageDescription

let package = Package(
  name: "app",
  dependencies: [
    .package(name: "eddy", path: "../.."),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
  ],
  targets: [
    .executableTarget(
      name: "app",
      dependencies: [
        .product(name: "EddyJobs", package: "eddy"),
        .product(name: "Logging", package: "swift-log"),
      ])
  ]
)
