import FileWork
import KilnModel
import NixPackages

/// What of a workspace's packages is seen inside it: the store and its own view, both read-only, and what makes programs find them.
struct PackageMounts: Sendable {
    static let view = "/opt/kiln/packages"
    /// What the workspace sees of its packages now.
    static let profile = "\(view)/profile"
    /// What programs of packages may call. Last in every PATH, so that it hides nothing.
    private static let needed = "\(profile)/libexec/needed"
    private static let settings = "/opt/kiln/etc"
    /// Sets `PATH` and its like; harmless when read twice.
    static let script = "\(settings)/environment.sh"
    private static let hostCertificates = "/etc/ssl/certs/ca-certificates.crt"

    /// `STATE/packages`
    let directory: String

    private var settingsDirectory: String { "\(directory)/etc" }

    /// Writes the files that all workspaces share.
    func prepare() throws(KilnError) {
        for path in [directory, settingsDirectory] { try TrustedFiles.makeDirectory(path, mode: 0o755) }
        try TrustedFiles.update("\(settingsDirectory)/environment.sh", with: Self.environmentScript, mode: 0o644)
        try TrustedFiles.update("\(settingsDirectory)/profile.sh", with: Self.profileScript, mode: 0o644)
        try TrustedFiles.update("\(settingsDirectory)/sshd.conf", with: Self.sshdSettings, mode: 0o644)
        guard let certificates = try TrustedFiles.read(Self.hostCertificates) else { return }
        try TrustedFiles.update("\(settingsDirectory)/ca-certificates.crt", with: certificates, mode: 0o644)
    }

    /// - Parameter view: the workspace's own.
    func mounts(view: String) -> [ContainerSpec.Mount] {
        [
            .init(source: StorePath.store, destination: StorePath.store, readOnly: true),
            .init(source: view, destination: Self.view, readOnly: true),
            .init(source: settingsDirectory, destination: Self.settings, readOnly: true),
            // Late in the order in which /etc/profile reads them: many a profile sets the PATH anew.
            .init(source: "\(settingsDirectory)/profile.sh", destination: "/etc/profile.d/zz-kiln-packages.sh", readOnly: true),
            .init(source: "\(settingsDirectory)/sshd.conf", destination: "/etc/ssh/sshd_config.d/kiln-packages.conf", readOnly: true),
        ]
    }

    /// What every program that runs as `dev` is started with.
    static let variables = [
        ("PATH", "\(profile)/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/kiln/bin:\(needed)"),
        // A colon at the end stands for the system's own (manpath(1)).
        ("MANPATH", "\(profile)/share/man:"), ("XDG_DATA_DIRS", "\(profile)/share:/usr/local/share:/usr/share"),
    ]

    /// A command by SSH is run by no login shell (sshd_config(5), SetEnv).
    private static let sshdSettings = "SetEnv \(variables.map { "\"\($0)=\($1)\"" }.joined(separator: " "))\n"

    /// For sudo, which has a PATH of its own (sudoers(5), secure_path). Last in it: what configures packages of the image finds the image's.
    static let sudoersSettings =
        "Defaults secure_path=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:\(profile)/bin:\(needed)\"\n"

    private static let profileScript = "# The packages of the workspace.\n[ ! -r \(script) ] || . \(script)\n"

    /// For any shell of POSIX. The image's own certificates come first, as its owner may have added some.
    private static let environmentScript = """
        # The packages of the workspace: where programs, pages, data, certificates and locales are. Written by Kiln.
        case ":$PATH:" in
        *:\(profile)/bin:*) ;;
        *) PATH="\(profile)/bin${PATH:+:$PATH}" ;;
        esac
        case ":$PATH:" in
        *:\(needed):*) ;;
        *) PATH="$PATH:\(needed)" ;;
        esac
        case ":${MANPATH-}:" in
        *:\(profile)/share/man:*) ;;
        # A colon at the end stands for the system's own (manpath(1)).
        *) MANPATH="\(profile)/share/man:${MANPATH-}" ;;
        esac
        case ":${XDG_DATA_DIRS-}:" in
        *:\(profile)/share:*) ;;
        *) XDG_DATA_DIRS="\(profile)/share:${XDG_DATA_DIRS:-/usr/local/share:/usr/share}" ;;
        esac
        export PATH MANPATH XDG_DATA_DIRS

        if [ -z "${SSL_CERT_FILE-}" ]; then
            for SSL_CERT_FILE in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
                [ ! -r "$SSL_CERT_FILE" ] || break
            done
            if [ ! -r "$SSL_CERT_FILE" ]; then
                # The image has none. What looks for them at a fixed place is told, too.
                SSL_CERT_FILE=\(settings)/ca-certificates.crt
                export CURL_CA_BUNDLE="${CURL_CA_BUNDLE-$SSL_CERT_FILE}" GIT_SSL_CAINFO="${GIT_SSL_CAINFO-$SSL_CERT_FILE}"
            fi
            export SSL_CERT_FILE NIX_SSL_CERT_FILE="${NIX_SSL_CERT_FILE-$SSL_CERT_FILE}"
        fi

        if [ -z "${LOCALE_ARCHIVE-}" ]; then
            for LOCALE_ARCHIVE in \(profile)/lib/locale/locale-archive /usr/lib/locale/locale-archive; do
                [ ! -r "$LOCALE_ARCHIVE" ] || break
            done
            if [ -r "$LOCALE_ARCHIVE" ]; then export LOCALE_ARCHIVE; else unset LOCALE_ARCHIVE; fi
        fi
        export LANG="${LANG:-C.UTF-8}"

        # Shells remember where they found a program; what packages bring and take away changes that.
        if [ -n "${BASH_VERSION-}" ]; then
            shopt -s checkhash
            case "$-" in
            *i*) case "${PROMPT_COMMAND-}" in *"hash -r"*) ;; *) PROMPT_COMMAND="hash -r${PROMPT_COMMAND:+; $PROMPT_COMMAND}" ;; esac ;;
            esac
        elif [ -n "${ZSH_VERSION-}" ]; then
            # A function, as options end with the emulation of sh in which a .zprofile reads /etc/profile; eval, as other shells read this, too.
            eval 'case " ${precmd_functions[*]-} " in
                *" kiln_forget_programs "*) ;;
                *) kiln_forget_programs() { rehash; }; precmd_functions+=(kiln_forget_programs) ;;
            esac'
        fi

        """
}
