import FoundationEssentials
import Glibc
import KilnModel
import Testing
import WorkspaceEngine

@testable import LinuxEngine

extension LiveEnvironmentTests {
    @Test static func `What ends is started again ever later, also what ended while no agent was there`() async throws {
        let configuration = try LiveEngine.configuration()
        do {
            // A service that ends at once counts its starts in a volume.
            let target = try Live.environment(
                Live.service("crash", 1, "echo start >> /data/starts; echo trying; echo failing >&2; exit 7", restart: .always) {
                    $0.volumes = [.init(volume: try VolumeName("data"), path: "/data")]
                },
                Live.service("steady", 2, restart: .unlessStopped), Live.service("once", 3, "exit 0", restart: .onFailure(maximumRetries: nil)))
            let (crash, steady) = (try Name("crash"), try Name("steady"))
            let before = try await LiveEngine.run(configuration) { live in
                // While it runs once more it says less.
                let statuses = try await live.settle(target) {
                    $0[crash]?.phase == .crashLoop && $0[crash]?.crash?.nextTry != nil && $0[try! Name("once")]?.phase == .exited
                }
                #expect(statuses[steady]?.phase == .running)
                let loop = try #require(statuses[crash])
                #expect(loop.reason?.message == "crash ended with status 7, 6 times in a row.")
                #expect(loop.crash?.lastLines.count == 3)
                #expect(Set(loop.crash?.lastLines ?? []) == ["trying", "failing"])
                #expect(loop.restarts == 5)
                // The next one is well away: 3.2 seconds after the last end.
                #expect(try #require(loop.crash?.nextTry).seconds > LinuxEngine.now())
                #expect(try live.starts(of: target) == 6)
                let id = try #require(try await live.containers(of: target.id)["steady"])
                return try #require(try await live.engine.containers.inspect(id))
            }
            // Without an agent nothing is started; what runs goes on, until it is killed.
            #expect(kill(Int32(before.pid), SIGKILL) == 0)
            try await LiveEngine.run(configuration) { live in
                let statuses = try await live.settle(target) {
                    $0[steady]?.restarts == 1 && $0[steady]?.phase == .running && ($0[crash]?.restarts ?? 0) >= 6
                }
                #expect(try await live.containers(of: target.id)["steady"] == before.id)
                #expect(statuses[crash]?.phase == .crashLoop)
                #expect(try live.starts(of: target) == 7)

                // A policy that is taken away ends the loop, without another container.
                let container = try await live.containers(of: target.id)["crash"]
                var calm = target
                calm.services[0].restart = .no
                let failed = try await live.settle(calm) { $0[crash]?.phase == .failed }
                #expect(failed[crash]?.crash?.nextTry == nil)
                #expect(try await live.containers(of: target.id)["crash"] == container)
                try await live.engine.remove(calm, volumes: true)
            }
        } catch {
            try await LiveEngine.purge(configuration)
            throw error
        }
        try await LiveEngine.purge(configuration)
    }
}

extension LiveEngine {
    /// How often the service that counts was started.
    fileprivate func starts(of target: EnvironmentTarget) throws -> Int {
        let path = "\(engine.configuration.stateDirectory)/environments/\(target.volumeSet)/volumes/data/starts"
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count
    }
}
