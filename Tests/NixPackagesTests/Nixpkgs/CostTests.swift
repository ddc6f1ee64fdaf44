import Testing

@testable import NixPackages

struct CostTests {
    @Test(arguments: [
        ("these 3 paths will be fetched (0.50 MiB download, 2.00 MiB unpacked):\n  /nix/store/x\n", PackageCost(download: 524_288, disk: 2_097_152)),
        ("this path will be fetched (1.5 KiB download, 1 GiB unpacked):", PackageCost(download: 1536, disk: 1_073_741_824)),
        ("warning: x\nthese paths will be fetched (0.00 MiB download, 0.00 MiB unpacked):", PackageCost(download: 0, disk: 0)),
        ("don't know how to build these paths:\n  /nix/store/x", nil), ("", nil), ("these will be fetched (many MiB download, 1 MiB unpacked)", nil),
    ]) func `What Nix says of sizes is understood`(text: String, cost: PackageCost?) { #expect(PackageCost(dryRun: text) == cost) }
}
