import KilnModel

extension Reading {
    /// More than any environment has; a bound for the work that follows.
    private static let maximumServices = 1000

    /// The whole file. What is wrong is in `findings` afterwards.
    func project(_ root: YAMLNode) -> ComposeProject {
        var project = ComposeProject(file: file, variables: variables)
        guard case .mapping(let entries) = root.content else {
            refuse(root.position, "The file is not a Compose file: it must be a map with “services”.")
            return project
        }
        var services: YAMLNode.Entry?
        var volumes: Set<VolumeName> = []
        for entry in entries {
            switch entry.key {
            case "name": project.name = filledText(entry.value, "“name”")
            case "version": warn(entry.position, "“version” has no effect.", hint: "Remove it.")
            case "services": services = entry
            case "volumes": volumes = volumeNames(entry.value)
            default: refuseUnknown(entry, in: "the file", among: .file)
            }
        }
        if let services {
            project.drafts = drafts(services)
        } else {
            refuse(root.position, "The file describes no services.", hint: "Put them under “services:” at the top level.")
        }
        check(project.drafts, volumes: volumes)
        collect(into: &project)
        return project
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

    private func volumeNames(_ node: YAMLNode) -> Set<VolumeName> {
        guard !node.isNull, let entries = entries(node, "“volumes”") else { return [] }
        var names: Set<VolumeName> = []
        for entry in entries where !entry.key.hasPrefix("x-") {
            do throws(KilnError) {
                names.insert(try VolumeName(entry.key))
            } catch {
                refuse(entry.position, error)
            }
            if entry.value.isNull { continue }
            for option in self.entries(entry.value, "The volume “\(entry.key.printable(limit: 80))”") ?? [] {
                refuseUnknown(option, in: "the volume “\(entry.key.printable(limit: 80))”", among: .volume)
            }
        }
        return names
    }

    private func collect(into project: inout ComposeProject) {
        var contexts: Set<String> = []
        var files: [String: Int] = [:]
        for draft in project.drafts {
            if case .build(let build) = draft.settings.source, contexts.insert(build.context).inserted { project.contexts.append(build.context) }
            for use in draft.settings.environmentFiles {
                if let place = files[use.reference.path] {
                    if use.reference.required { project.environmentFiles[place] = use.reference }
                } else {
                    files[use.reference.path] = project.environmentFiles.count
                    project.environmentFiles.append(use.reference)
                }
            }
        }
        project.referencedVariables = referenced
        project.warnings = warnings.sorted { ($0.line, $0.column) < ($1.line, $1.column) }
    }
}
