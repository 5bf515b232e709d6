// swift-tools-version: 6.3
import PackageDescription

/// What the small examples need: the loop as an executor, and below it the reactor's own handles.
let reactor: [Target.Dependency] = [
  .product(name: "Eddy", package: "eddy"),
  .product(name: "EddyCore", package: "eddy"),
]

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
      ]),
    .executableTarget(name: "echo", dependencies: reactor),
    .executableTarget(name: "chat", dependencies: reactor),
    .executableTarget(name: "forward", dependencies: reactor),
    .executableTarget(name: "timer-wheel", dependencies: reactor),
    .executableTarget(name: "command", dependencies: reactor),
    .executableTarget(name: "ping", dependencies: reactor),
    .executableTarget(name: "send-file", dependencies: reactor),
    .executableTarget(name: "resolve", dependencies: reactor),
    .executableTarget(name: "watch", dependencies: reactor),
    .executableTarget(name: "digest", dependencies: reactor),
    .executableTarget(name: "host-loop", dependencies: reactor),
  ]
)
