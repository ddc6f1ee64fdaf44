import KilnModel
import LinuxNetwork

/// Which containers get the new connections of services. Pure.
enum ServiceRouting {
    /// Those that are ready; when none is, those that run; when none does, those that are started again by themselves. So one of several that
    /// is unwell or stopped gets nothing, and a service whose every container is unwell is not worse off than one with a single container.
    /// - Parameters:
    ///   - leaving: those about to be taken away; they get nothing while others can take it.
    ///   - starting: those about to be started. Where there are no others, the way leads there before their programs run: the first that these
    ///     do may be a call of their own name.
    static func routes(
        to services: [Service], _ observed: [EnvironmentPlan.Observed], leaving: Set<Replica> = [], starting: Set<Replica> = []
    ) -> [RoutedService] {
        let found = Dictionary(grouping: observed, by: \.service)
        return services.compactMap { service in
            func route(_ numbers: Set<Int>) -> RoutedService {
                let indexes = numbers.sorted().map { AddressPlan.containerIndex(service.addressIndex, replica: $0) }
                return RoutedService(index: service.addressIndex, containers: indexes)
            }
            let all = found[service.name] ?? []
            let staying = all.filter { !leaving.contains($0.replica) }
            for containers in [staying, all] {
                for isFit in [{ $0.isReady(in: service) }, \.isRunning, \.comesBack] as [(EnvironmentPlan.Observed) -> Bool] {
                    let numbers = Set(containers.filter(isFit).map(\.number))
                    guard numbers.isEmpty else { return route(numbers) }
                }
            }
            let begun = Set(service.containers.filter(starting.contains).map(\.number))
            return begun.isEmpty ? nil : route(begun)
        }
    }
}

extension EnvironmentPlan.Observed {
    /// Whether it runs and, as far as anybody can tell, does its work.
    func isReady(in service: Service) -> Bool { isRunning && (service.healthcheck(ofImage: imageCheck) == nil || health == .healthy) }
}
