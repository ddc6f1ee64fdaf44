import Testing

@testable import KilnCommands

@Suite(".dockerignore") struct IgnoreFileTests {
    @Test(
        "leaves out what its rules match",
        arguments: [
            ("node_modules", "node_modules", true), ("node_modules", "node_modules/a/b.js", true), ("node_modules", "src/node_modules", false),
            ("**/node_modules", "src/node_modules/x", true), ("**/node_modules", "node_modules", true), ("*.md", "README.md", true),
            ("*.md", "docs/README.md", false), ("**/*.md", "docs/deep/README.md", true), ("docs/**", "docs/a/b", true), ("/build/", "build/x", true),
            ("./build", "build", true), ("a/../b", "b", true), ("te?t", "test", true), ("te?t", "tet", false), ("[a-c]*", "beta", true),
            ("[^a-c]*", "beta", false), ("[^a-c]*", "zeta", true), ("# x", "# x", false), ("\\#x", "#x", true), ("a/**/z", "a/z", true),
            ("a/**/z", "a/b/c/z", true), ("", "x", false), ("/", "x", false), ("[", "[", false),
        ]
    )
    func matches(rule: String, path: String, ignored: Bool) {
        #expect(IgnoreFile(rule).ignores(path) == ignored)
    }

    @Test("the last rule that matches decides") func exceptions() {
        let file = IgnoreFile("*\n!src\nsrc/*.log\n!src/keep.log\n")
        #expect(["a", "src", "src/main.swift", "src/x.log", "src/keep.log"].map { file.ignores($0) } == [true, false, false, true, false])
    }
}
