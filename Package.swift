// swift-tools-version: 6.3
import PackageDescription

let package = Package(
  name: "eddy",
  products: [
    .library(name: "Eddy", targets: ["Eddy"]),
    .library(name: "EddyCore", targets: ["EddyCore"]),
    .library(name: "EddyHTTP", targets: ["EddyHTTP"]),
    .library(name: "EddyJobs", targets: ["EddyJobs"]),
    .executable(name: "eddyd", targets: ["eddyd"]),
    .executable(name: "eddy-client", targets: ["eddy-client"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
  ],
  targets: [
    // C modules. libev-dev and libssl-dev are Debian's; libev has no pkg-config file.
    .systemLibrary(name: "CLibev", path: "Sources/CLibev"),
    .systemLibrary(name: "CEddy", path: "include"),
    .systemLibrary(name: "CEddyTables", path: "Sources/CEddyTables"),
    .systemLibrary(
      name: "CCrypto", path: "Sources/CCrypto", pkgConfig: "libcrypto",
      providers: [.apt(["libssl-dev"])]),

    // The two that also build as Embedded Swift, into libeddy (make lib).
    .target(name: "EddyCore", dependencies: ["CLibev", "CEddy", "CEddyTables"]),
    .target(name: "EddyHTTPCore", dependencies: ["EddyCore", "CLibev"]),

    .target(name: "Eddy", dependencies: ["EddyCore"]),
    .target(
      name: "EddyHTTP",
      dependencies: [
        "Eddy", "EddyHTTPCore",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(
      name: "EddyJobs",
      dependencies: [
        "EddyCore", "Eddy", "EddyHTTP", "CCrypto",
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .executableTarget(
      name: "eddyd",
      dependencies: [
        "Eddy", "EddyCore", "EddyHTTP", "EddyJobs",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Logging", package: "swift-log"),
      ]),

    // A C program on eddy.h alone; make lib builds the same source against libeddy.
    .executableTarget(
      name: "eddy-client", dependencies: ["EddyCore", "CEddy"], path: "bindings/c/client",
      cSettings: [.headerSearchPath("../../../include")]),

    .testTarget(name: "EddyCoreTests", dependencies: ["EddyCore"]),
    .testTarget(name: "EddyHTTPCoreTests", dependencies: ["EddyHTTPCore"]),
    .testTarget(name: "EddyTests", dependencies: ["Eddy"]),
    .testTarget(name: "EddyHTTPTests", dependencies: ["EddyHTTP"]),
    .testTarget(name: "EddyJobsTests", dependencies: ["EddyJobs"]),
    .testTarget(name: "eddydTests", dependencies: ["eddyd"]),
  ],
  swiftLanguageModes: [.v6]
)
