import Foundation
import KilnModel
import Testing
import WorkspaceEngine

@testable import LinuxEngine

/// When a look at everything may be saved.
@Suite struct SettledWorkspaceTests {
    private let environment = ResourceID.random()
    private let workspace = ResourceID.random()
    private let machine = ResourceID.random()

    private func target(_ intercepts: [InterceptTarget], memory: Int = 1 << 30) throws -> WorkspaceTarget {
        WorkspaceTarget(
            id: workspace, name: try Name("hello"), workmachine: WorkmachineTarget(id: machine, rangeIndex: 1), state: .running,
            image: try ImageReference("localhost/kiln/workspace"), limits: ResourceLimits(milliCPUs: 1000, memory: memory, pids: 100), variables: [],
            repository: nil, address: AddressPlan.workspace(1),
            connection: ConnectionTarget(environment: environment, probe: nil, intercepts: intercepts))
    }

    private func intercept(_ target: UInt16) -> InterceptTarget {
        InterceptTarget(serviceIndex: 1, port: ServicePort(8080), target: target, existing: .drain, fallback: true)
    }

    @Test func onlyAnotherConnectionOrOtherInterceptsSaveIt() throws {
        let program = Process()
        program.executableURL = URL(fileURLWithPath: "/usr/bin/sleep")
        program.arguments = ["60"]
        try program.run()
        let settled = SettledWorkspaces()
        #expect(settled.remainder(for: try target([intercept(3000)])) == nil, "nothing is known yet")
        settled.settle(try target([]), process: ProcessIdentity(pid: Int(program.processIdentifier)))
        let wanted = try target([intercept(3000)])
        let (remainder, process) = try #require(settled.remainder(for: wanted))
        #expect(remainder == .intercepts(try #require(wanted.connection)) && process.pid == Int(program.processIdentifier))
        #expect(settled.remainder(for: try target([])) == nil, "the same again asks whether all is well")
        #expect(settled.remainder(for: try target([intercept(3000)], memory: 1 << 29)) == nil)
        var elsewhere = try target([intercept(3000)])
        elsewhere.connection?.environment = .random()
        #expect(settled.remainder(for: elsewhere)?.0 == .connection)
        var alone = try target([])
        alone.connection = nil
        #expect(settled.remainder(for: alone)?.0 == .connection)
        settled.settle(alone, process: ProcessIdentity(pid: Int(program.processIdentifier)))
        #expect(settled.remainder(for: alone) == nil)
        #expect(settled.remainder(for: try target([]))?.0 == .connection)
        settled.settle(try target([]), process: ProcessIdentity(pid: Int(program.processIdentifier)))
        var probed = try target([intercept(3000)])
        probed.connection?.probe = .init(service: try Name("other"), address: AddressPlan.virtual(2), port: nil)
        #expect(settled.remainder(for: probed)?.0 == .intercepts(try #require(probed.connection)), "what is probed follows what is intercepted")

        kill(program.processIdentifier, SIGKILL)
        program.waitUntilExit()
        #expect(settled.remainder(for: try target([intercept(3000)])) == nil, "its process ended")
    }

    @Test func aForgottenOneIsLookedAtAsAWhole() throws {
        let settled = SettledWorkspaces()
        settled.settle(try target([]), process: ProcessIdentity(pid: Int(getpid())))
        settled.forget(try target([]).id)
        #expect(settled.remainder(for: try target([intercept(3000)])) == nil)
        #expect(ProcessIdentity(pid: 0) == nil && ProcessIdentity(pid: Int(Int32.max)) == nil)
    }
}
