import KilnModel

/// `configs` and `secrets`: what they hold, and which services get them.
extension Reading {
    /// Bytes that a config may have in the Compose file itself.
    private static let maximumContent = 64 << 10

    /// The top-level `configs`.
    func configs(_ node: YAMLNode) -> [ComposeProject.Config] {
        guard !node.isNull, let entries = entries(node, "“configs”") else { return [] }
        return entries.compactMap { entry in
            guard !entry.key.hasPrefix("x-") else { return nil }
            let place = "the config “\(entry.key.printable(limit: 80))”"
            guard isName(entry), let options = self.entries(entry.value, "The config “\(entry.key.printable(limit: 80))”") else { return nil }
            var sources: [ComposeProject.Config.Source] = []
            for option in options {
                switch option.key {
                case "file": if let path = path(option.value, "“file”"), isInside(path, option.value.position) { sources.append(.file(path)) }
                case "content": if let text = text(option.value, "“content”"), isSmall(text, option) { sources.append(.text(text)) }
                case "environment": if let text = variableText(option, place) { sources.append(.text(text.text)) }
                case "external":
                    guard flag(option.value, "“external”") == true else { continue }
                    refuse(
                        option.position,
                        "The config “\(entry.key.printable(limit: 80))” is external: an environment has no configs but those of its file.",
                        hint: "Give it a “file” or a “content”.")
                    return nil
                default: refuseUnknown(option, in: place, among: .config)
                }
            }
            guard sources.count == 1 else {
                let given = Set(options.map(\.key)).intersection(["file", "content", "environment"])
                if given.count != 1 { refuse(entry.position, "\(place.capitalizedFirst) needs one of “file”, “content” and “environment”.") }
                return nil
            }
            return ComposeProject.Config(name: entry.key, source: sources[0], position: entry.position)
        }
    }

    /// The top-level `secrets`.
    func secrets(_ node: YAMLNode) -> [ComposeProject.Secret] {
        guard !node.isNull, let entries = entries(node, "“secrets”") else { return [] }
        return entries.compactMap { entry in
            guard !entry.key.hasPrefix("x-") else { return nil }
            let place = "the secret “\(entry.key.printable(limit: 80))”"
            guard isName(entry), let options = self.entries(entry.value, "The secret “\(entry.key.printable(limit: 80))”") else { return nil }
            var sources: [ComposeProject.Secret.Source] = []
            var failed = false
            for option in options {
                switch option.key {
                case "file":
                    if let path = path(option.value, "“file”"), isInside(path, option.value.position) {
                        sources.append(.file(path))
                    } else {
                        failed = true
                    }
                case "environment":
                    if let text = variableText(option, place) { sources.append(.text(text.variable, text.text)) } else { failed = true }
                case "external": if flag(option.value, "“external”") == true { sources.append(.environment) }
                default: refuseUnknown(option, in: place, among: .secret)
                }
            }
            guard sources.count == 1 else {
                if !failed {
                    refuse(
                        entry.position, "\(place.capitalizedFirst) needs one of “file”, “environment” and “external: true”.",
                        hint: "External ones are set by: kl env secret set")
                }
                return nil
            }
            do throws(KilnError) {
                return ComposeProject.Secret(name: try SecretName(entry.key), source: sources[0], position: entry.position)
            } catch {
                refuse(entry.position, error)
                return nil
            }
        }
    }

    private func isName(_ entry: YAMLNode.Entry) -> Bool {
        do throws(KilnError) {
            _ = try SecretName(entry.key)
            return true
        } catch {
            refuse(entry.position, error)
            return false
        }
    }

    private func isSmall(_ text: String, _ option: YAMLNode.Entry) -> Bool {
        guard text.utf8.count > Self.maximumContent else { return true }
        refuse(
            option.position, "A config in the file itself may have \(Self.maximumContent) bytes.",
            hint: "Put it in a file, and name that with “file”.")
        return false
    }

    private func variableText(_ option: YAMLNode.Entry, _ place: String) -> (variable: String, text: String)? {
        guard let name = filledText(option.value, "“environment”") else { return nil }
        switch variable(name, at: option.value.position) {
        case .text(let text)? where isSmall(text, option): return (name, text)
        case .text: return nil
        case .secret, .template, nil:
            refuse(
                option.value.position, "The variable \(name.printable(limit: 80)), which holds \(place), is not set.",
                hint: "Set it, as in \(name.printable(limit: 80))=… kl …")
            return nil
        }
    }

    /// Files that travel lie in the project's folder.
    func isInside(_ path: String, _ position: Position) -> Bool {
        let normal = ProjectPath.normal(path)
        guard path.hasPrefix("/") || path.hasPrefix("~") || normal == ".." || normal.hasPrefix("../") else { return true }
        let message = "“\(path.printable(limit: 80))” lies outside the project's folder: a service never sees a machine's own files."
        refuse(position, message, hint: "Move it beside the Compose file, or below.")
        return false
    }

    /// A service's `configs` or `secrets`: names, or maps.
    /// - Parameter folder: where a file lies whose target does not say.
    func grants(_ node: YAMLNode, _ what: String, folder: String) -> [ServiceDraft.Grant] {
        guard !node.isNull, let items = items(node, what) else { return [] }
        return items.compactMap { item in
            guard case .mapping(let entries) = item.content else {
                guard let name = filledText(item, "An entry of \(what)") else { return nil }
                return path("\(folder)/\(name)", at: item.position).map { .init(name: name, path: $0, position: item.position) }
            }
            var grant: (source: String?, target: String?, uid: Int?, gid: Int?, mode: Int?)
            for entry in entries {
                switch entry.key {
                case "source": grant.source = filledText(entry.value, "“source”")
                case "target": grant.target = entry.value.isNull ? nil : filledText(entry.value, "“target”")
                case "uid": grant.uid = id(entry.value, "“uid”")
                case "gid": grant.gid = id(entry.value, "“gid”")
                case "mode": grant.mode = entry.value.isNull ? nil : mode(entry.value)
                default: refuseUnknown(entry, in: what, among: .grant)
                }
            }
            guard let source = grant.source else {
                if !entries.contains(where: { $0.key == "source" }) { refuse(item.position, "The entry of \(what) lacks its “source”.") }
                return nil
            }
            let target = grant.target ?? source
            return path(target.hasPrefix("/") ? target : "\(folder)/\(target)", at: item.position).map {
                .init(name: source, path: $0, mode: grant.mode, user: grant.uid, group: grant.gid, position: item.position)
            }
        }
    }

    func path(_ text: String, at position: Position) -> ContainerPath? {
        do throws(KilnError) {
            return try ContainerPath(text)
        } catch {
            refuse(position, "“\(text.printable(limit: 80))” is not a path to mount at.", hint: "Use an absolute path other than /, without “..”.")
            return nil
        }
    }

    private func id(_ node: YAMLNode, _ what: String) -> Int? {
        guard !node.isNull, let text = filledText(node, what) else { return nil }
        guard let id = Self.number(text), id < Instance.rangeSize else {
            refuse(node.position, "“\(text.printable(limit: 40))” is not a number for \(what).", hint: "Use 0 to \(Instance.rangeSize - 1).")
            return nil
        }
        return id
    }

    /// Permission bits, as YAML reads numbers: octal behind a 0.
    func mode(_ node: YAMLNode) -> Int? {
        guard let text = filledText(node, "“mode”") else { return nil }
        let bits = text.hasPrefix("0o") ? Int(text.dropFirst(2), radix: 8) : text.hasPrefix("0") ? Int(text, radix: 8) : Int(text)
        guard let bits, (0...0o1777).contains(bits) else {
            refuse(node.position, "“\(text.printable(limit: 40))” is not a file's mode.", hint: "Write it like 0440.")
            return nil
        }
        return bits
    }
}

extension String {
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
