/// What Kiln tells Nix: the text of a `nix.conf` that stands instead of the host's and the user's. Pure.
public struct NixSettings: Sendable, Hashable {
    public var limits: PackageLimits

    public init(limits: PackageLimits) { self.limits = limits }

    /// As in nix.conf(5). No cache is trusted or asked here: a source names its own when it runs Nix.
    public var text: String {
        """
        # Written by Kiln at every start of its agent.
        store = local
        build-users-group = nixbld
        sandbox = true
        sandbox-fallback = false
        substituters =
        trusted-public-keys =
        require-sigs = true
        max-jobs = \(limits.builds)
        cores = \(limits.builds)
        http-connections = \(limits.downloads)
        timeout = \(limits.buildSeconds)
        connect-timeout = 5
        download-attempts = 3
        narinfo-cache-negative-ttl = 60
        keep-derivations = false
        keep-outputs = false

        """
    }
}
