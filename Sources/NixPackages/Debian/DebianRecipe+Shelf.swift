import FileWork
import FoundationEssentials
import KilnModel

extension DebianRecipe {
    /// Recipes that were locked on this host, a file each, named by the store path.
    struct Shelf: Sendable {
        let directory: String

        private static let ending = ".json"
        /// How long a recipe stays, counted from when it was last locked, though nothing keeps what it makes: what was locked may wait for its turn,
        /// and a list of locks may come back from elsewhere.
        static let retention = 90 * 86_400

        /// Keeps a recipe, as if it had not been there.
        func put(_ recipe: DebianRecipe) throws {
            let path = try file(recipe.storePath())
            if try TrustedFiles.touch(path) { return }
            try TrustedFiles.makeDirectories(directory, mode: 0o755)
            try TrustedFiles.replace(path, with: Array(JSONEncoder().encode(recipe)))
        }

        /// nil when there is none.
        func recipe(for path: StorePath) throws -> DebianRecipe? {
            guard let bytes = try TrustedFiles.read(file(path)) else { return nil }
            do {
                return try JSONDecoder().decode(DebianRecipe.self, from: Data(bytes))
            } catch is DecodingError {
                // Cut short when the machine lost its power. It must not be in the way of a whole one.
                try TrustedFiles.remove(file(path))
                return nil
            }
        }

        /// Removes old recipes, and what was left of writing one, each by itself: after an interruption the rest is as it was.
        /// - Parameter needed: paths whose recipes stay.
        func prune(keeping needed: Set<StorePath>) throws(KilnError) {
            let names = Set(needed.map { $0.baseName + Self.ending })
            try TrustedFiles.remove(in: directory, olderThan: Self.retention) { names.contains($0) }
        }

        private func file(_ path: StorePath) -> String { "\(directory)/\(path.baseName)\(Self.ending)" }
    }
}
