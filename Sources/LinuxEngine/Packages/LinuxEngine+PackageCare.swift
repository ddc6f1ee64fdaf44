import CommandRunner
import FileWork
import FoundationEssentials
import Glibc
import KilnModel
import NixPackages

extension LinuxEngine {
    /// Keeps indexes fresh by day and collects garbage by night, until cancelled. What fails is told and tried again next time.
    func careForPackages() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.refreshIndexes() }
            group.addTask { try await self.collectByNight() }
            try await group.waitForAll()
        }
    }

    private func refreshIndexes() async throws {
        while true {
            let logger = logger
            await packageHost.refresh { source, error in
                logger.warning("an index of packages stays as it is", metadata: ["source": "\(source)", "cause": "\(error)"])
            }
            // A source whose index is young enough does nothing.
            try await Task.sleep(for: .seconds(3600))
        }
    }

    private func collectByNight() async throws {
        while true {
            try await Task.sleep(for: .seconds(OffPeak.delay(at: Self.secondsSinceMidnight)))
            do {
                let isPartial = try await collectUnnamedGarbage()
                if isPartial {
                    try await Task.sleep(for: .seconds(600))
                    continue
                }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                logger.warning("garbage was not collected", metadata: ["cause": "\(error)"])
            }
            try await Task.sleep(for: .seconds(OffPeak.delayToNextDay(at: Self.secondsSinceMidnight)))
        }
    }

    /// Collects what no workspace keeps and no file of a home names.
    /// - Returns: whether there is more.
    func collectUnnamedGarbage() async throws -> Bool {
        let scan = HomeScan(runner: SystemCommandRunner())
        for machine in try packageHost.machinesWithDroppedPackages() {
            let home = folders.home(of: machine)
            // The home belongs to `dev` from the day it is made.
            guard let owner = TrustedFiles.owner(home) else { continue }
            try await packageHost.forgetDropped(of: machine, notNamedBy: try await scan.storePaths(named: home, userID: owner))
        }
        return try await packageHost.collectGarbage(droppedBy: nil) { _ in }.isPartial
    }

    private static var secondsSinceMidnight: Int {
        var now = time(nil)
        var local = tm()
        localtime_r(&now, &local)
        return Int(local.tm_hour) * 3600 + Int(local.tm_min) * 60 + Int(local.tm_sec)
    }
}
