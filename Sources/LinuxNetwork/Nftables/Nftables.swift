import CNftables
import KilnModel
import Synchronization

/// nftables by libnftables, in this process: a transaction takes less than a millisecond where starting `nft` takes ten and more.
public enum Nftables {
    /// What a listing shows beside the rules.
    enum Listing {
        /// The elements of sets and maps, without counters.
        case elements
        /// The elements with their counters.
        case counters
        case withoutElements

        fileprivate var flags: UInt32 {
            switch self {
            case .elements: UInt32(NFT_CTX_OUTPUT_STATELESS)
            case .counters: 0
            case .withoutElements: UInt32(NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_TERSE)
            }
        }
    }

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
        try await DedicatedThread.run { try namespace.enter { _ = try run([script], isDryRun: true) } }
    }

    /// As `apply`, in the calling `DedicatedThread`'s namespace.
    static func applyHere(_ script: String) throws { _ = try run([script]) }

    static func listHere(_ command: String, _ listing: Listing = .elements) throws -> String { try run([command], listing) }

    /// The elements of some of a table's sets and maps; none of any when the table is not there.
    static func elementsHere(of collections: [Table.Collection], in table: String, _ listing: Listing = .elements) throws -> SetElements {
        let names = collections.map(\.name)
        do {
            // One command at a time: nft 1.0.6 finds only the first collection of many listed together.
            let text = try run(collections.map { "list \($0.keyword) ip \(table) \($0.name)" }, listing, isNumeric: true)
            return SetElements(names: names, listing: text)
        } catch {
            guard try !listHere("list tables").split(separator: "\n").contains("table ip \(table)") else { throw error }
            return SetElements(names)
        }
    }

    private static func run(_ scripts: [String], _ listing: Listing = .elements, isNumeric: Bool = false, isDryRun: Bool = false) throws -> String {
        // A context of its own each time: its netlink socket belongs to the namespace it was opened in.
        let context = try library.withLock { _ in try Context() }
        // Whoever closes it right after a deletion waits until the kernel has let go of what was deleted.
        defer { Lingering.release(context) }
        return try library.withLock { _ in
            nft_ctx_set_dry_run(context.pointer, isDryRun)
            // Marks as numbers, whatever names the host gives them.
            nft_ctx_output_set_flags(context.pointer, listing.flags | (isNumeric ? UInt32(NFT_CTX_OUTPUT_NUMERIC_SYMBOL) : 0))
            guard nft_ctx_buffer_output(context.pointer) == 0, nft_ctx_buffer_error(context.pointer) == 0 else {
                throw KilnError(.engineFailed, "libnftables could not keep its output.")
            }
            var output = ""
            for script in scripts {
                guard nft_run_cmd_from_buffer(context.pointer, script) == 0 else {
                    let text = nft_ctx_get_error_buffer(context.pointer).map { String(cString: $0) } ?? ""
                    throw KilnError(.engineFailed, "nftables refused a change: \(text.isEmpty ? "no reason given" : text)")
                }
                output += nft_ctx_get_output_buffer(context.pointer).map { String(cString: $0) } ?? ""
            }
            return output
        }
    }

    /// A context of libnftables, freed with its last reference.
    private final class Context: @unchecked Sendable {
        let pointer: OpaquePointer

        init() throws {
            guard let pointer = nft_ctx_new(UInt32(NFT_CTX_DEFAULT)) else { throw KilnError(.engineFailed, "libnftables could not be started.") }
            self.pointer = pointer
        }

        /// Takes the library's lock: nobody may drop the last reference while holding it.
        deinit { library.withLock { _ in nft_ctx_free(pointer) } }
    }
}
