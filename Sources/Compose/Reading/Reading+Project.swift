import KilnModel

extension Reading {
    /// More than any environment has; a bound for the work that follows.
    private static let maximumServices = 1000

    /// The whole project. What is wrong is in `findings` afterwards.
    func project() -> ComposeProject {
        var project = ComposeProject()
        let root = load()
        if let root, needs.isEmpty { read(root, into: &project) }
        project.needs = needs
        project.referencedVariables = referenced
        project.warnings = warnings.inOrder()
        return project
    }

    private func read(_ root: YAMLNode, into project: inout ComposeProject) {
        guard case .mapping(let entries) = root.content else { return }
        var services: YAMLNode.Entry?
        var volumes: Set<VolumeName> = []
        var networks: Set<String> = []
        for entry in entries {
            switch entry.key {
            case "name": project.name = filledText(entry.value, "“name”")
            case "version": warn(entry.position, "“version” has no effect.", hint: "Remove it.")
            case "services": services = entry
            case "volumes": volumes = volumeNames(entry.value)
            case "networks": networks = networkNames(entry.value)
            case "configs": project.configs = configs(entry.value)
            case "secrets": project.secrets = secrets(entry.value)
            default: refuseUnknown(entry, in: "the file", among: .file)
            }
        }
        if let services {
            project.drafts = withoutInactive(drafts(services))
        } else {
            refuse(root.position, "The file describes no services.", hint: "Put them under “services:” at the top level.")
        }
        // Texts that services refer to; all are asked for at once.
        for index in project.drafts.indices {
            let settings = project.drafts[index].settings
            project.drafts[index].settings.variables = allVariables(of: settings)
            for use in settings.labelFiles {
                for label in read(use) where settings.container.labels[label.key] == nil {
                    project.drafts[index].settings.container.labels[label.key] = label.value
                }
            }
        }
        check(&project, volumes: volumes, networks: networks)
    }

    private func drafts(_ services: YAMLNode.Entry) -> [ServiceDraft] {
        guard !services.value.isNull, let entries = entries(services.value, "“services”") else {
            if services.value.isNull { refuse(services.position, "“services” is empty.", hint: "Describe at least one service.") }
            return []
        }
        if entries.isEmpty { refuse(services.position, "“services” is empty.", hint: "Describe at least one service.") }
        guard entries.count <= Self.maximumServices else {
            refuse(services.position, "The file describes \(entries.count) services; \(Self.maximumServices) are the most.")
            return []
        }
        return entries.compactMap(draft)
    }

    /// The services that take part: those of no profile, and those of a profile that was asked for.
    private func withoutInactive(_ drafts: [ServiceDraft]) -> [ServiceDraft] {
        let active = drafts.filter { draft in
            draft.settings.profiles.isEmpty || input.profiles.contains("*") || draft.settings.profiles.contains { input.profiles.contains($0) }
        }
        if active.isEmpty, let first = drafts.first {
            let profiles = Set(drafts.flatMap(\.settings.profiles)).sorted().joined(separator: ", ")
            refuse(
                first.position, "Every service is in a profile, and none of them was asked for.",
                hint: "Add --profile with one of: \(profiles.printable()).")
        }
        inactive = Set(drafts.map(\.name)).subtracting(active.map(\.name))
        return active
    }
}
