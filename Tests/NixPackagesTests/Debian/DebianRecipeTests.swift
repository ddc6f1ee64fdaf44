import FileWork
import KilnModel
import Testing

@testable import NixPackages

extension DebianRecipe {
    /// Of a package that needs nothing.
    static func small(_ name: String) -> DebianRecipe {
        DebianRecipe(
            archives: [],
            derivation: NixDerivation(
                name: name, system: "x86_64-linux", builder: "/bin/sh", arguments: [], environment: [:], outputs: ["out"], sources: []))
    }
}

@Suite struct DebianRecipeTests {
    @Test("A recipe comes back as it was put, and one that was cut short is none, until it is put again")
    func shelf() async throws {
        try await withTemporaryFolder { folder in
            let shelf = DebianRecipe.Shelf(directory: folder), recipe = DebianRecipe.small("jq-1.7")
            let path = try recipe.storePath()
            #expect(try shelf.recipe(for: path) == nil)
            try shelf.put(recipe)
            #expect(try shelf.recipe(for: path) == recipe)
            let file = try #require(TrustedFiles.list(folder).first)
            for cut in ["", "{", String(try #require(try TrustedFiles.readText("\(folder)/\(file)")).dropLast(9))] {
                try TrustedFiles.replace("\(folder)/\(file)", with: cut)
                #expect(try shelf.recipe(for: path) == nil)
                try shelf.put(recipe)
                #expect(try shelf.recipe(for: path) == recipe)
            }
        }
    }
}
