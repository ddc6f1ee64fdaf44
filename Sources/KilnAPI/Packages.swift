public import KilnModel

/// `POST /api/v1/workspaces/{ref}/packages`: adds packages to a workspace's list; one that is on it is resolved anew.
public struct AddPackages: Sendable, Codable, Hashable {
    /// `NAME[@VERSION]` each.
    public var packages: [PackageText]
    /// The source of all of them; nil: the first configured one that has it.
    public var source: Name?
    /// Whether one package that cannot be had keeps all of them away. Default: false.
    public var atomic: Bool?

    public init(_ wishes: [PackageWish], source: Name? = nil, atomic: Bool? = nil) {
        packages = wishes.map(PackageText.init)
        self.source = source
        self.atomic = atomic
    }

    public var wishes: [PackageWish] { packages.map { $0.wish(source: source) } }
}

/// `NAME[@VERSION]`, as a text in JSON.
public struct PackageText: ValidatedText {
    private let wish: PackageWish

    public init(_ text: String) throws(KilnError) { wish = try PackageWish(text) }

    public init(_ wish: PackageWish) { self.wish = PackageWish(name: wish.name, version: wish.version) }

    public var value: String { wish.description }

    public func wish(source: Name? = nil) -> PackageWish { PackageWish(name: wish.name, version: wish.version, source: source) }
}

/// `POST /api/v1/workspaces/{ref}/packages/remove`
public struct RemovePackages: Sendable, Codable, Hashable {
    public var packages: [PackageName]

    public init(_ packages: [PackageName]) { self.packages = packages }
}

/// `POST /api/v1/workspaces/{ref}/packages/update`: takes the newest versions that the wishes allow.
public struct UpdatePackages: Sendable, Codable, Hashable {
    /// nil: all.
    public var packages: [PackageName]?
    /// Only says what would change.
    public var dryRun: Bool?

    public init(_ packages: [PackageName]?, dryRun: Bool? = nil) {
        self.packages = packages
        self.dryRun = dryRun
    }
}

/// `POST /api/v1/workspaces/{ref}/packages/rollback`
public struct RollBackPackages: Sendable, Codable, Hashable {
    /// nil: the one before.
    public var generation: Int?

    public init(to generation: Int?) { self.generation = generation }
}

/// A workspace's list as a file, to make the same elsewhere; the body of `PUT /api/v1/workspaces/{ref}/packages`, which replaces the list.
public struct PackageLock: Sendable, Codable, Hashable {
    /// The version of this form.
    public static let currentForm = 1

    public var form: Int
    public var packages: [LockedPackage]

    public init(_ packages: [LockedPackage]) {
        form = Self.currentForm
        self.packages = packages
    }
}

/// `POST /api/v1/workspaces/{ref}/packages/sync`: makes the list agree with a `kiln.yaml`.
public struct SyncPackages: Sendable, Codable, Hashable {
    /// The file's text.
    public var file: String
    /// What to call the file in errors.
    public var path: String?
    /// Takes off the list what the file does not name. Default: false.
    public var exact: Bool?
    /// Whether one package that cannot be had keeps all of them away. Default: false.
    public var atomic: Bool?

    public init(file: String, path: String? = nil, exact: Bool? = nil, atomic: Bool? = nil) {
        self.file = file
        self.path = path
        self.exact = exact
        self.atomic = atomic
    }
}

/// What a change of a workspace's packages came to; they are there once the event stream says so.
public struct PackagesAnswer: Sendable, Codable, Hashable {
    public struct Refusal: Sendable, Codable, Hashable {
        /// As it was asked for.
        public var package: String
        public var problem: Problem

        public init(package: String, problem: Problem) {
            self.package = package
            self.problem = problem
        }
    }

    public var workspace: Workspace
    /// What is different from before.
    public var changes: [PackageChange]
    /// What could not be resolved, and was left out.
    public var refused: [Refusal]
    /// Bytes to be fetched; nil when it is not known.
    public var download: Int?

    public init(workspace: Workspace, changes: [PackageChange], refused: [Refusal] = [], download: Int? = nil) {
        self.workspace = workspace
        self.changes = changes
        self.refused = refused
        self.download = download
    }
}

/// `GET /api/v1/workspaces/{ref}/packages`
public struct PackagesReport: Sendable, Codable, Hashable {
    public struct Item: Sendable, Codable, Hashable {
        public var package: LockedPackage
        /// nil while it is not there.
        public var installed: InstalledPackage?

        public init(package: LockedPackage, installed: InstalledPackage?) {
            self.package = package
            self.installed = installed
        }
    }

    public var workspace: Name
    public var generation: Int
    /// nil: it never had any.
    public var status: PackagesStatus?
    public var packages: [Item]

    public init(_ workspace: Workspace) {
        self.workspace = workspace.metadata.name
        generation = workspace.spec.packageGeneration
        status = workspace.status.packages
        let installed = workspace.status.packages?.installed ?? []
        packages = workspace.spec.packages.map { package in
            Item(package: package, installed: installed.first { $0.storePath == package.storePath })
        }
    }
}

/// `GET /api/v1/workmachines/{ref}/packages`: what packages take, in bytes.
public struct PackageUsageReport: Sendable, Codable, Hashable {
    public struct Share: Sendable, Codable, Hashable {
        public var workspace: Name
        /// What two workspaces share counts for both.
        public var size: Int

        public init(workspace: Name, size: Int) {
            self.workspace = workspace
            self.size = size
        }
    }

    /// The whole store, which all workmachines of the host share.
    public var store: Int
    /// What collecting garbage now would free.
    public var collectable: Int
    /// Largest first.
    public var workspaces: [Share]

    public init(store: Int, collectable: Int, workspaces: [Share]) {
        self.store = store
        self.collectable = collectable
        self.workspaces = workspaces
    }
}

/// A line of the answer to `POST /api/v1/workmachines/{ref}/packages/collect`, which is NDJSON.
public enum CollectionLine: Sendable, Hashable {
    case progress(PackageProgress)
    /// The last one, when it succeeded.
    /// - freed: bytes. - partial: whether there is more to collect.
    case done(freed: Int, paths: Int, partial: Bool)
    /// The last one, when it failed.
    case failed(Problem)
}

extension CollectionLine: KindCoded {
    public enum Kind: String, Sendable, Codable, CaseIterable { case progress, done, failed }

    public var kind: Kind {
        switch self {
        case .progress: .progress
        case .done: .done
        case .failed: .failed
        }
    }

    public init(_ kind: Kind, from values: KeyedDecodingContainer<TextKey>) throws {
        switch kind {
        case .progress: self = .progress(try values.decode(PackageProgress.self, forKey: "progress"))
        case .done:
            self = .done(
                freed: try values.decode(Int.self, forKey: "freed"), paths: try values.decode(Int.self, forKey: "paths"),
                partial: try values.decode(Bool.self, forKey: "partial"))
        case .failed: self = .failed(try values.decode(Problem.self, forKey: "problem"))
        }
    }

    public func encode(into values: inout KeyedEncodingContainer<TextKey>) throws {
        switch self {
        case .progress(let progress): try values.encode(progress, forKey: "progress")
        case .done(let freed, let paths, let partial):
            try values.encode(freed, forKey: "freed")
            try values.encode(paths, forKey: "paths")
            try values.encode(partial, forKey: "partial")
        case .failed(let problem): try values.encode(problem, forKey: "problem")
        }
    }
}

/// Why something is there: an item of `GET /api/v1/workspaces/{ref}/packages/origins?item=`.
public struct OriginReport: Sendable, Codable, Hashable {
    public var package: PackageName
    /// From the package's own path to the one asked for, each needing the next.
    public var chain: [StorePath]

    public init(package: PackageName, chain: [StorePath]) {
        self.package = package
        self.chain = chain
    }
}
