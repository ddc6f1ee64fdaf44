import KilnModel
import Testing

@testable import NixPackages

@Suite("The view of a list of packages")
struct ViewPlanTests {
    private static func path(_ index: Int, _ name: String) throws -> StorePath {
        let digits = Array("0123456789abcdfghijklmnpqrsvwxyz")
        return try StorePath("\(StorePath.store)/\(String(repeating: "0", count: 30))\(digits[index / 32])\(digits[index % 32])-\(name)")
    }

    private func plan(_ packages: [(String, [String: MemoryTree.Node])]) throws -> (plan: ViewPlan, paths: [String]) {
        let sources = try packages.enumerated().map { try ViewPlan.Source(name: PackageName($1.0), storePath: Self.path($0, $1.0)) }
        let tree = MemoryTree(zip(sources, packages).map { ($0.storePath, $1.1) })
        return (try ViewPlan(sources, reader: tree), sources.map(\.storePath.value))
    }

    @Test("Directories that only one package has are linked whole")
    func alone() throws {
        let (plan, paths) = try plan([("jq", ["bin": .directory(["jq": .program, "LICENSE": .file]), "share": .directory([:])])])
        #expect(plan.directories == [])
        #expect(plan.links == ["bin": "\(paths[0])/bin", "share": "\(paths[0])/share"])
        #expect(plan.programs == [["jq"]])
    }

    @Test("Shared directories are made, down to where only one has something")
    func shared() throws {
        let (plan, paths) = try plan([
            ("jq", ["bin": .directory(["jq": .program]), "share": .directory(["man": .directory(["man1": .directory(["jq.1": .file])])])]),
            (
                "fd",
                ["bin": .directory(["fd": .program]), "share": .directory(["man": .directory(["man5": .directory([:])]), "fd": .directory([:])])]
            ),
        ])
        #expect(plan.directories == ["bin", "share", "share/man"])
        #expect(
            plan.links == [
                "bin/jq": "\(paths[0])/bin/jq", "bin/fd": "\(paths[1])/bin/fd", "share/fd": "\(paths[1])/share/fd",
                "share/man/man1": "\(paths[0])/share/man/man1", "share/man/man5": "\(paths[1])/share/man/man5",
            ])
        #expect(plan.programs == [["jq"], ["fd"]])
    }

    @Test("Of two files at one place the earlier package's is shown, and the later one hears by whom it is hidden")
    func collision() throws {
        let tree: [String: MemoryTree.Node] = ["bin": .directory(["vi": .program, "x": .file])]
        let (plan, paths) = try plan([("vim", tree), ("nvi", tree), ("elvis", ["bin": .file])])
        #expect(plan.links == ["bin/vi": "\(paths[0])/bin/vi", "bin/x": "\(paths[0])/bin/x"])
        let vim = try PackageName("vim")
        #expect(plan.shadowed == [[], [.init(path: "bin/vi", by: vim), .init(path: "bin/x", by: vim)], [.init(path: "bin", by: vim)]])
        #expect(plan.programs == [["vi"], [], []])
    }

    @Test("Whose copy of a program that others call is seen is not worth a word")
    func needed() throws {
        let tree: [String: MemoryTree.Node] = ["libexec": .directory(["needed": .directory(["perl": .program])])]
        let (plan, paths) = try plan([("git", tree), ("autoconf", tree)])
        #expect(plan.links == ["libexec/needed/perl": "\(paths[0])/libexec/needed/perl"])
        #expect(plan.shadowed == [[], []] && plan.programs == [[], []])
    }

    @Test("A file that comes first hides directories")
    func fileFirst() throws {
        let (plan, paths) = try plan([("a", ["etc": .file]), ("b", ["etc": .directory(["x": .file])])])
        #expect(plan.links == ["etc": "\(paths[0])/etc"])
        #expect(plan.shadowed[1] == [.init(path: "etc", by: try PackageName("a"))])
    }

    @Test("A directory that leads back to itself is no way to go")
    func loops() throws {
        let tree: [String: MemoryTree.Node] = ["bin": .directory(["X11": .loop, "a": .program])]
        let (plan, paths) = try plan([("a", tree), ("b", tree)])
        #expect(plan.directories == ["bin"])
        #expect(plan.links == ["bin/X11": "\(paths[0])/bin/X11", "bin/a": "\(paths[0])/bin/a"])
    }

    @Test("What is about a package is not shown")
    func ignored() throws {
        let tree: [String: MemoryTree.Node] = [
            "nix-support": .directory([:]), "bin": .directory([".jq-wrapped": .program]), "share": .directory(["info": .directory(["dir": .file])]),
        ]
        let (plan, _) = try plan([("a", tree), ("b", ["share": .directory(["info": .directory(["dir": .file])])])])
        #expect(plan.links.keys.sorted() == ["bin"])
        #expect(plan.directories == ["share", "share/info"])
        #expect(plan.programs == [[], []])
    }

    @Test("Whatever the trees: every place is the first package's that has it, and nothing else is there", arguments: 0..<1000)
    func anyTrees(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        func tree(_ depth: Int) -> [String: MemoryTree.Node] {
            var entries: [String: MemoryTree.Node] = [:]
            for name in ["bin", "lib", "a", "b"] where Bool.random(using: &random) {
                entries[name] = depth > 0 && Int.random(in: 0..<3, using: &random) > 0 ? .directory(tree(depth - 1)) : .file
            }
            return entries
        }
        let packages = (0..<Int.random(in: 0...5, using: &random)).map { ("p\($0)", tree(3)) }
        let sources = try packages.enumerated().map { try ViewPlan.Source(name: PackageName($1.0), storePath: Self.path($0, $1.0)) }
        let memory = MemoryTree(zip(sources, packages).map { ($0.storePath, $1.1) })
        let plan = try ViewPlan(sources, reader: memory)

        // What the plan shows at a place: walked as the kernel would.
        func shown(_ path: [String]) -> MemoryTree.Node? {
            for length in stride(from: path.count, through: 1, by: -1) {
                guard let target = plan.links[path[..<length].joined(separator: "/")] else { continue }
                return memory.node(at: ([target] + path[length...]).joined(separator: "/"))
            }
            return path.isEmpty || plan.directories.contains(path.joined(separator: "/")) ? .directory([:]) : nil
        }
        // What it should: the first package that has the place decides; packages under a file of an earlier one are out.
        func check(_ path: [String], _ owners: [Int]) {
            for name in ["bin", "lib", "a", "b"] {
                let place = path + [name]
                let having = owners.filter { memory.node(at: ([sources[$0].storePath.value] + place).joined(separator: "/")) != nil }
                guard let first = having.first else {
                    #expect(shown(place) == nil)
                    continue
                }
                func isDirectory(_ owner: Int) -> Bool {
                    if case .directory = memory.node(at: ([sources[owner].storePath.value] + place).joined(separator: "/")) { true } else { false }
                }
                if isDirectory(first) {
                    if case .directory = shown(place) {} else { Issue.record("\(place) is no directory") }
                    check(place, having.filter(isDirectory))
                } else {
                    #expect(
                        plan.links[place.joined(separator: "/")] == nil
                            || plan.links[place.joined(separator: "/")]!.hasPrefix(sources[first].storePath.value))
                    if case .file = shown(place) {} else { Issue.record("\(place) is no file") }
                }
            }
        }
        check([], Array(sources.indices))
        for link in plan.links.values { #expect(memory.node(at: link) != nil) }
    }
}
