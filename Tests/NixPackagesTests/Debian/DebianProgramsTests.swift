import FileWork
import KilnModel
import Testing

@testable import NixPackages

/// The packages that must work, each in a root folder that has none of what they need but the store.
@Suite(.serialized) struct DebianProgramsTests {
    @Test("Tools that need little but their libraries run")
    func tools() async throws {
        try await DebianFixture.with { fixture in
            let expected = [
                "ripgrep": (["rg", "--version"], "ripgrep "), "fd-find": (["fdfind", "--version"], "fdfind "),
                "tmux": (["tmux", "start-server", ";", "show-options", "-gv", "base-index"], "0\n"),
                "postgresql-client": (["psql", "--version"], "psql (PostgreSQL) "), "redis-tools": (["redis-cli", "--version"], "redis-cli "),
                "sqlite3": (["sqlite3", ":memory:", "select 6 * 7"], "42\n"), "curl": (["curl", "--version"], "curl "),
            ]
            for (name, (command, output)) in expected.sorted(by: { $0.key < $1.key }) {
                let package = try await fixture.add(name)
                let told = try await fixture.run(command, with: [package])
                #expect(told.hasPrefix(output), "\(name): \(told)")
            }
        }
    }

    @Test("git commits and vim finds its own files")
    func editors() async throws {
        try await DebianFixture.with { fixture in
            let git = try await fixture.add("git")
            _ = try await fixture.run(["git", "init", "-q", "-b", "main", "r"], with: [git])
            let name = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
            _ = try await fixture.run(["git", "-C", "r"] + name + ["commit", "-q", "--allow-empty", "-m", "First"], with: [git])
            #expect(try await fixture.run(["git", "-C", "r", "log", "--format=%an: %s"], with: [git]) == "Ann: First\n")
            // A program of its own below /usr/lib/git-core.
            let refused = await #expect(throws: (any Error).self) {
                try await fixture.run(["git", "ls-remote", "https://127.0.0.1:9/x"], with: [git])
            }
            #expect("\(refused!)".contains("Failed to connect") || "\(refused!)".contains("Could not connect"), "\(refused!)")

            let vim = try await fixture.add("vim")
            let commands = ["runtime syntax/python.vim", "redir! > out", "silent echo b:current_syntax", "redir END", "qa!"]
            _ = try await fixture.run(["vim", "-es", "-N"] + commands.flatMap { ["-c", $0] }, with: [vim])
            #expect(try fixture.text("out").contains("python"))
        }
    }

    @Test("Python has its certificates, and makes virtual environments with pip")
    func python() async throws {
        try await DebianFixture.with { fixture in
            let python = try await fixture.add("python3")
            let certificates = "import ssl, sqlite3, lzma, ctypes; print(len(ssl.create_default_context().get_ca_certs()) > 100)"
            #expect(try await fixture.run(["python3", "-c", certificates], with: [python]) == "True\n")
            _ = try await fixture.run(["python3", "-m", "venv", "venv"], with: [python])
            #expect(try await fixture.run(["/home/venv/bin/pip", "--version"], with: []).hasPrefix("pip "))
            #expect(try await fixture.run(["/home/venv/bin/python", "-c", "import sys; print(sys.prefix)"], with: []) == "/home/venv\n")
        }
    }

    @Test("What gcc links under make runs without the compiler, from C and C++")
    func compilers() async throws {
        try await DebianFixture.with { fixture in
            let (gcc, make) = (try await fixture.add("gcc"), try await fixture.add("make"))
            try fixture.put("hello.c", "#include <math.h>\n#include <stdio.h>\nint main(int n, char **v) { printf(\"%.1f\\n\", pow(3.0, n + 1)); }\n")
            try fixture.put("Makefile", "hello: hello.o\n\tgcc -o hello hello.o -lm\nhello.o: hello.c\n\tgcc -Werror -O2 -c hello.c\n")
            _ = try await fixture.run(["make"], with: [gcc, make])
            #expect(try await fixture.run(["/home/hello"], with: []) == "9.0\n")

            let cxx = try await fixture.add("g++")
            try fixture.put(
                "hello.cc", "#include <iostream>\n#include <vector>\nint main() { std::cout << std::vector<int>{1, 2}.size() << std::endl; }\n")
            _ = try await fixture.run(["g++", "-std=c++20", "-o", "hello++", "hello.cc"], with: [cxx])
            #expect(try await fixture.run(["/home/hello++"], with: []) == "2\n")
        }
    }

    @Test("Go and Java compile programs and run them")
    func languages() async throws {
        try await DebianFixture.with { fixture in
            let go = try await fixture.add("golang-go")
            try fixture.put("hello.go", "package main\nimport (\"fmt\"; \"net/http\")\nfunc main() { fmt.Println(\"hello\", http.StatusOK) }\n")
            _ = try await fixture.run(["go", "build", "-o", "hello", "hello.go"], with: [go])
            #expect(try await fixture.run(["/home/hello"], with: []) == "hello 200\n")

            let java = try await fixture.add("default-jdk-headless")
            let authorities = "javax.net.ssl.TrustManagerFactory.getInstance(\"PKIX\")"
            let count = "((javax.net.ssl.X509TrustManager) f.getTrustManagers()[0]).getAcceptedIssuers().length > 100"
            try fixture.put(
                "Hello.java",
                "class Hello { public static void main(String[] a) throws Exception { var f = \(authorities); f.init((java.security.KeyStore) null); System.out.println(\(count)); } }"
            )
            _ = try await fixture.run(["javac", "Hello.java"], with: [java])
            #expect(try await fixture.run(["java", "Hello"], with: [java]) == "true\n")
        }
    }

    @Test("Programs find those of the packages that theirs needs, alone in a list")
    func needed() async throws {
        try await DebianFixture.with { fixture in
            let npm = try await fixture.add("npm")
            #expect(try await fixture.run(["npm", "--version"], with: [npm]).first?.isNumber == true)
            // What npm installs starts with `#!/usr/bin/env node`.
            #expect(try await fixture.run(["node", "-p", "6 * 7"], with: [npm]) == "42\n")
            let shown = try TrustedFiles.list("\(npm.storePath)/bin")
            #expect(shown.contains("npm") && !shown.contains("node"), "what is not asked for does not come first: \(shown)")

            // autoconf calls autom4te, which calls m4.
            let autoconf = try await fixture.add("autoconf")
            #expect(try await fixture.run(["m4"], with: [autoconf], input: "eval(6 * 7)") == "42")

            // What a dependency's compiler links runs in any image, too.
            let libtool = try await fixture.add("libtool")
            try fixture.put("answer.c", "#include <stdio.h>\nint main(void) { puts(\"42\"); }\n")
            _ = try await fixture.run(["cc", "-o", "answer", "answer.c"], with: [libtool])
            #expect(try await fixture.run(["/home/answer"], with: []) == "42\n")
        }
    }

    @Test("Node runs with npm")
    func node() async throws {
        try await DebianFixture.with { fixture in
            let (node, npm) = (try await fixture.add("nodejs"), try await fixture.add("npm"))
            #expect(
                try await fixture.run(
                    ["node", "-e", "console.log(typeof fetch, require('crypto').createHash('md5').digest('hex').length)"], with: [node])
                    == "function 32\n")
            try fixture.put("package.json", #"{"name": "a", "version": "1.0.0"}"#)
            #expect(try await fixture.run(["npm", "pkg", "get", "version"], with: [node, npm]) == "\"1.0.0\"\n")
        }
    }

    @Test("Pictures and films are made and read")
    func media() async throws {
        try await DebianFixture.with { fixture in
            let magick = try await fixture.add("imagemagick")
            _ = try await fixture.run(["convert", "-size", "40x30", "gradient:red-blue", "picture.jpg"], with: [magick])
            #expect(try await fixture.run(["identify", "-format", "%m %wx%h", "picture.jpg"], with: [magick]) == "JPEG 40x30")
            let ffmpeg = try await fixture.add("ffmpeg")
            let film = ["-v", "error", "-f", "lavfi", "-i", "testsrc=duration=1:size=320x240:rate=10", "-c:v", "libx264", "film.mp4"]
            _ = try await fixture.run(["ffmpeg"] + film, with: [ffmpeg])
            let read = ["-v", "error", "-select_streams", "v", "-show_entries", "stream=codec_name,width", "-of", "csv=p=0", "film.mp4"]
            #expect(try await fixture.run(["ffprobe"] + read, with: [ffmpeg]) == "h264,320\n")
        }
    }
}
