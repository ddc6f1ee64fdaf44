import FileWork
import Glibc
import KilnModel

/// Something that a workspace sees of its packages, and the path of the store it lies in.
struct ViewItem: Equatable {
    let storePath: StorePath

    /// - Parameters:
    ///   - text: a path of the store or in it, a path as the workspace sees its view (`/opt/kiln/packages/profile/…`) or below it, or the name of
    ///     a program.
    ///   - profile: the view's folder on this host.
    /// - Throws: `package-not-found`.
    init(_ text: String, profile: String) throws(KilnError) {
        let inside = "/opt/kiln/packages/profile/"
        if let path = Self.storePath(of: text) {
            storePath = path
            return
        }
        var place = text.hasPrefix(inside) ? String(text.dropFirst(inside.count)) : text
        if !place.contains("/") {
            let folder = TrustedFiles.exists("\(profile)/bin/\(place)") ? "bin" : ViewPlan.needed
            place = "\(folder)/\(place)"
        }
        let parts = place.split(separator: "/", omittingEmptySubsequences: false)
        guard !place.isEmpty, place.utf8.count < 4096, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }),
            let target = realpath("\(profile)/\(place)", nil)
        else { throw Self.unknown(text) }
        defer { free(target) }
        guard let path = Self.storePath(of: String(cString: target)) else { throw Self.unknown(text) }
        storePath = path
    }

    private static func unknown(_ text: String) -> KilnError {
        KilnError(
            .packageNotFound, "“\(text.printable(limit: 120))” is nothing that a package of this workspace brought.",
            hint: "kl pkg list names their programs.")
    }

    private static func storePath(of text: String) -> StorePath? {
        guard text.hasPrefix(StorePath.store + "/") else { return nil }
        return try? StorePath(text.split(separator: "/").prefix(3).reduce("") { "\($0)/\($1)" })
    }
}
