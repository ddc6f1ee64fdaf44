import CNftables
import KilnModel
import Synchronization

/// nftables by libnftables, in this process: a transaction takes less than a millisecond where starting `nft` takes ten and more.
public enum Nftables {
    /// libnftables keeps its parser's state in globals.
    private static let library = Mutex<Void>(())

    /// Runs commands in a namespace as one transaction: all take effect at once or none.
    /// - Throws: `KilnError` with what libnftables printed.
    public static func apply(_ script: String, in namespace: NetworkNamespace) async throws {
        try await DedicatedThread.run { try namespace.enter { try applyHere(script) } }
    }

    /// What a `list` command prints.
    public static func list(_ command: String, in namespace: NetworkNamespace) async throws -> String {
        try await DedicatedThread.run { try namespace.enter { try listHere(command) } }
    }

    /// Parses and evaluates commands without carrying them out.
    public static func check(_ script: String, in namespace: NetworkNamespace) async throws {
        try await DedicatedThread.run { try namespace.enter { _ = try run(script, isDryRun: true) } }
    }

    /// As `apply`, in the calling `DedicatedThread`'s namespace.
    static func applyHere(_ script: String) throws { _ = try run(script) }

    static func listHere(_ command: String) throws -> String { try run(command) }

    private static func run(_ script: String, isDryRun: Bool = false) throws -> String {
        try library.withLock { _ in
            // A context of its own each time: its netlink socket belongs to the namespace it was opened in.
            guard let context = nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else { throw KilnError(.engineFailed, "libnftables could not be started.") }
            defer { nft_ctx_free(context) }
            nft_ctx_set_dry_run(context, isDryRun)
            nft_ctx_output_set_flags(context, UInt32(NFT_CTX_OUTPUT_STATELESS))
            guard nft_ctx_buffer_output(context) == 0, nft_ctx_buffer_error(context) == 0 else {
                throw KilnError(.engineFailed, "libnftables could not keep its output.")
            }
            let code = nft_run_cmd_from_buffer(context, script)
            guard code == 0 else {
                let text = nft_ctx_get_error_buffer(context).map { String(cString: $0) } ?? ""
                throw KilnError(.engineFailed, "nftables refused a change: \(text.isEmpty ? "no reason given" : text)")
            }
            return nft_ctx_get_output_buffer(context).map { String(cString: $0) } ?? ""
        }
    }
}
