// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

/// For what `kl` is made of: every workspace carries it, and it waits for others more than it computes.
let small: [SwiftSetting] = strict + [.unsafeFlags(["-Osize"], .when(configuration: .release))]

/// For the daemons, which stay for months: at addresses that nobody can guess, yet with relocations in a tenth of the room (RELR, which needs lld),
/// and without the names of symbols that nobody looks up. Seven megabytes less of kilnd, five of kiln-agent, that are never given back.
let lean: [LinkerSetting] = [
    .unsafeFlags(
        ["-use-ld=lld"] + ["--no-export-dynamic", "--icf=safe", "-z", "pack-relative-relocs"].flatMap { ["-Xlinker", $0] },
        .when(platforms: [.linux], configuration: .release))
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTP2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let subprocess: Target.Dependency = .product(name: "Subprocess", package: "swift-subprocess")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// The rooms, from the ground up: a target imports only what stands above it (`scripts/check-imports` holds this).
let package = Package(
    name: "kiln",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "kilnd", targets: ["kilnd"]),
        .executable(name: "kiln-agent", targets: ["kiln-agent"]),
        .executable(name: "kl", targets: ["kl"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0", traits: []),
    ],
    targets: [
        .target(name: "KilnModel", swiftSettings: strict),
        .target(name: "KilnAPI", dependencies: ["KilnModel", nioCore, nioHTTP1, nioPosix], swiftSettings: small),
        .target(name: "Compose", dependencies: ["KilnModel", yams], swiftSettings: strict),
        .target(name: "CLinux"),
        .target(name: "CTerminal"),
        .systemLibrary(name: "CNftables"),
        .target(name: "CommandRunner", dependencies: [subprocess], swiftSettings: strict),
        .target(name: "FileWork", dependencies: ["KilnModel"], swiftSettings: strict),
        .target(name: "PodmanClient", dependencies: [asyncHTTPClient, nioCore], swiftSettings: strict),
        .target(name: "LinuxNetwork", dependencies: ["CLinux", "CNftables", "KilnModel"], swiftSettings: strict),
        .target(name: "NixPackages", dependencies: ["KilnModel", "CommandRunner", "FileWork", "CLinux", crypto], swiftSettings: strict),
        .target(
            name: "WorkspaceEngine",
            dependencies: ["KilnModel", logging, nioCore, nioPosix, nioHTTP1, nioHTTP2],
            swiftSettings: strict
        ),
        .target(
            name: "LinuxEngine",
            dependencies: [
                "WorkspaceEngine", "PodmanClient", "LinuxNetwork", "NixPackages", "CommandRunner", "FileWork", "CLinux", "CTerminal", crypto, logging,
            ],
            swiftSettings: strict
        ),
        .target(name: "KilnStore", dependencies: ["KilnModel", grdb, crypto], swiftSettings: strict),
        .target(
            name: "KilnControl",
            dependencies: ["KilnModel", "KilnStore", "WorkspaceEngine", logging],
            swiftSettings: strict
        ),
        .target(
            name: "KilnServer",
            dependencies: [
                "KilnAPI", "Compose", "KilnControl", "KilnStore", "WorkspaceEngine", hummingbird, lifecycle, logging, crypto,
            ],
            exclude: ["Description/README.md"],
            swiftSettings: strict
        ),
        .target(
            name: "KilnAgent",
            dependencies: ["LinuxEngine", "WorkspaceEngine", lifecycle, logging, nioCore, nioPosix, nioHTTP1],
            swiftSettings: strict
        ),
        .target(
            name: "KilnCommands",
            dependencies: ["KilnAPI", argumentParser, crypto, nioCore, nioPosix, nioHTTP1],
            swiftSettings: small
        ),
        .executableTarget(name: "kilnd", dependencies: ["KilnServer", "CLinux", argumentParser], swiftSettings: strict, linkerSettings: lean),
        .executableTarget(name: "kiln-agent", dependencies: ["KilnAgent", "CLinux", argumentParser], swiftSettings: strict, linkerSettings: lean),
        .executableTarget(name: "kl", dependencies: ["KilnCommands"], swiftSettings: strict),
        .testTarget(name: "KilnModelTests", dependencies: ["KilnModel"], swiftSettings: strict),
        .testTarget(name: "ComposeTests", dependencies: ["Compose"], exclude: ["Files"], swiftSettings: strict),
        .testTarget(name: "FileWorkTests", dependencies: ["FileWork"], swiftSettings: strict),
        .testTarget(name: "LinuxNetworkTests", dependencies: ["LinuxNetwork"], swiftSettings: strict),
        .testTarget(name: "NixPackagesTests", dependencies: ["NixPackages", "FileWork"], swiftSettings: strict),
        .testTarget(name: "PodmanClientTests", dependencies: ["PodmanClient"], swiftSettings: strict),
        .testTarget(name: "WorkspaceEngineTests", dependencies: ["WorkspaceEngine"], swiftSettings: strict),
        .testTarget(name: "LinuxEngineTests", dependencies: ["LinuxEngine", "FileWork"], swiftSettings: strict),
        .testTarget(name: "KilnAgentTests", dependencies: ["KilnAgent"], swiftSettings: strict),
        .testTarget(name: "KilnStoreTests", dependencies: ["KilnStore"], swiftSettings: strict),
        .testTarget(name: "KilnControlTests", dependencies: ["KilnControl"], swiftSettings: strict),
        .testTarget(name: "KilnServerTests", dependencies: ["KilnServer", "KilnCommands"], swiftSettings: strict),
        .testTarget(name: "EndToEndTests", dependencies: ["CommandRunner"], exclude: ["Echo", "Host", "Names"], swiftSettings: strict),
        .testTarget(name: "KilnCommandsTests", dependencies: ["KilnCommands", "Compose"], swiftSettings: strict),
    ]
)
