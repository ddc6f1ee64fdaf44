import KilnModel

/// Binary caches to take store paths from, and whose signatures on them count.
struct Substituters: Sendable, Hashable {
    var caches: [BinaryCacheAddress]
    var publicKeys: [SigningKey]
    /// Path of a netrc file (netrc(5)).
    var netrc: String?
    /// Downloads at once.
    var downloads: Int

    /// Nix's settings (nix.conf(5)) for a run that uses them.
    var options: [String: String] {
        var options = [
            "substitute": "true",
            "substituters": caches.map(\.value).joined(separator: " "),
            "trusted-public-keys": publicKeys.map(\.value).joined(separator: " "),
            "require-sigs": "true",
            "http-connections": "\(downloads)",
            // What was not there a minute ago may have been published since.
            "narinfo-cache-negative-ttl": "0",
        ]
        if let netrc { options["netrc-file"] = netrc }
        return options
    }
}
