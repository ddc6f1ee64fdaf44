import KilnModel
import Logging
import NixPackages

extension LinuxEngine.Configuration {
    var packages: PackageHost.Configuration {
        .init(prefix: instance.prefix, directory: "\(stateDirectory)/packages", debianBuilder: debianBuilder)
    }

    /// The packages of the host as its file of settings says. A file that cannot be used stops nothing but packages.
    func packageHost(_ cgroups: CgroupLayout, logger: Logger) -> (host: PackageHost, problem: KilnError?) {
        var configuration = packages
        do {
            let settings = try packagesFile.flatMap { try PackageConfiguration.read(from: $0) }
            if let settings { configuration.limits = settings.limits }
            do {
                configuration.buildLimiter = try BuildMemory(cgroups, bytes: configuration.limits.buildMemoryMiB << 20).words
            } catch {
                logger.warning("builds of packages may use all memory", metadata: ["cause": "\(error)"])
            }
            return (PackageHost(configuration, configured: settings?.sources ?? []), nil)
        } catch {
            return (PackageHost(configuration, sources: []), error as? KilnError ?? KilnError(.engineUnavailable, "\(error)"))
        }
    }
}
