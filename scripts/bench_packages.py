"""The packages part of the bench: what `kl pkg` takes beside `nix-env -i` alone and `apt-get install` in the container.

Given the module that measures, whose helpers it uses: run, kl, timed, report, KL, MANY, ROUNDS.
"""

import base64
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

# Small, and in every source.
PACKAGE = "jq"
PROOF = "jq -n 1"
# Sets that have little in common.
SETS = [
    ["ripgrep"], ["fd-find"], ["tree"], ["tmux"], ["sqlite3"], ["redis-tools"], ["bat"], ["ncdu"], ["pv"], ["moreutils"],
    ["htop"], ["figlet"], ["zstd"], ["rsync"], ["dos2unix"], ["entr"], ["parallel"], ["gron"], ["hyperfine"], ["shellcheck"],
]


class OpenShell:
    """A shell in a workspace that was open before anything was added to it."""

    def __init__(self, bench, workspace):
        self.process = subprocess.Popen(
            [bench.KL, "ws", "exec", workspace, "--", "bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert self.ask("echo ready") == "ready"

    def ask(self, command):
        self.process.stdin.write(f"{command}\n".encode())
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def installed(bench, workspace):
    return json.loads(bench.kl("ws", "show", workspace, "--json"))["status"]["packages"]


def add_and_run(bench, shell, workspace, package=PACKAGE):
    def action():
        bench.kl("pkg", "add", package, "--workspace", workspace)
        if shell.ask(PROOF) != "1":
            raise SystemExit(f"{PROOF} did not answer in the open shell")
    return bench.timed(action)


def locked(bench, workspace):
    """The lock of the one package that a workspace has."""
    return json.loads(bench.kl("ws", "show", workspace, "--json"))["spec"]["packages"][0]


def collect(bench, path):
    """Empties the store of a package, or says that it cannot: a figure of what lies there already is none of a cold start."""
    bench.kl("pkg", "gc", "--yes")
    if os.path.lexists(path):
        raise SystemExit(f"{path} is still there after kl pkg gc: a workspace lists {PACKAGE}. Remove it there: kl pkg remove {PACKAGE}")


def cold(bench):
    """Nothing of it in the store, as after a first `make up`; the index is there. From the host's source, then from a binary cache."""
    with workspace(bench, "bench-cold"):
        bench.kl("pkg", "add", PACKAGE, "--workspace", "bench-cold")
        lock = locked(bench, "bench-cold")
        folder = tempfile.mkdtemp()
        write_cache(bench, folder, lock)
    cold_from(bench, lock["source"], lock, "≤ 2500, ≤ 1.0 ×")
    with only_source(bench, {"name": "bench", "type": "cache", "cache": f"file://{folder}/cache",
                             "publicKeys": [pathlib.Path(folder, "key.pub").read_text().strip()]}):
        cold_from(bench, "a file:// cache", lock, "≤ 500, ≤ 1.0 ×")
    shutil.rmtree(folder)


def cold_from(bench, source, lock, aim):
    adds, apt = [], []
    for _ in range(bench.ROUNDS):
        collect(bench, lock["storePath"])
        with workspace(bench, "bench-cold"):
            shell = OpenShell(bench, "bench-cold")
            adds.append(add_and_run(bench, shell, "bench-cold"))
            shell.close()
            bench.kl("ws", "exec", "bench-cold", "--", "sudo", "apt-get", "update", "-qq")
            apt.append(bench.timed(lambda: bench.kl("ws", "exec", "bench-cold", "--", "sudo", "apt-get", "install", "-qq", "-y", PACKAGE)))
    bench.report(f"add {PACKAGE}, cold, from {source}, beside apt-get", "ms", adds, apt, aim)


@contextlib.contextmanager
def workspace(bench, name):
    bench.kl("ws", "create", name)
    yield
    bench.kl("ws", "delete", name, "--yes")


def write_cache(bench, folder, lock):
    """A signed binary cache of one package, as docs/package-sources.md describes it."""
    secret = f"{folder}/key"
    bench.run("nix-store", "--generate-binary-cache-key", "bench-1", secret, f"{secret}.pub")
    bench.run("nix", "--extra-experimental-features", "nix-command", "copy", "--to", f"file://{folder}/cache?secret-key={secret}", lock["storePath"])
    narHash = bench.run("nix-store", "--query", "--hash", lock["storePath"]).strip()
    fields = [lock["name"], lock["version"], lock["system"], lock["storePath"], narHash, "1", "1", "for the bench"]
    index = pathlib.Path(folder, "cache/kiln-index")
    index.write_text(f"kiln-index 1 {int(time.time())}\n" + "\t".join(fields) + "\n")
    # Ed25519, whose secret's first half is what OpenSSL calls the key (RFC 8410).
    name, key = pathlib.Path(secret).read_text().strip().split(":")
    pathlib.Path(folder, "key.der").write_bytes(bytes.fromhex("302e020100300506032b657004220420") + base64.b64decode(key)[:32])
    signed = f"{folder}/signature"
    bench.run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", f"{folder}/key.der", "-keyform", "DER", "-in", str(index), "-out", signed)
    index.with_suffix(".sig").write_text(f"{name}:{base64.b64encode(pathlib.Path(signed).read_bytes()).decode()}\n")
    os.chmod(folder, 0o755)


@contextlib.contextmanager
def only_source(bench, source):
    """The running instance with one source of packages, until the end; what was cut off in between is put back by the next run."""
    settings = pathlib.Path("/etc", bench.PREFIX, "packages.json")
    kept = settings.with_name("packages.json.before-bench")
    if not kept.exists():
        settings.rename(kept)
    settings.write_text(json.dumps({"sources": [source]}))
    up = str(pathlib.Path(__file__).with_name("up"))
    try:
        bench.run(up)
        yield
    finally:
        kept.replace(settings)
        bench.run(up)


def warm(bench):
    bench.kl("pkg", "add", PACKAGE, "--workspace", "bench-w")
    path = installed(bench, "bench-w")["installed"][0]["storePath"]
    profile = tempfile.mkdtemp()
    nix = [bench.timed(lambda: bench.run("nix-env", "-p", f"{profile}/p{number}", "-i", path)) for number in range(bench.ROUNDS)]
    shutil.rmtree(profile)
    bench.kl("ws", "create", "bench-v")
    first, second = OpenShell(bench, "bench-w"), OpenShell(bench, "bench-v")
    adds, removes, rollbacks, others = [], [], [], []
    for _ in range(bench.MANY):
        removes.append(bench.timed(lambda: bench.kl("pkg", "remove", PACKAGE, "--workspace", "bench-w")))
        adds.append(add_and_run(bench, first, "bench-w"))
        bench.kl("pkg", "remove", PACKAGE, "--workspace", "bench-w")
        rollbacks.append(bench.timed(lambda: bench.kl("pkg", "rollback", "--workspace", "bench-w")))
        others.append(add_and_run(bench, second, "bench-v"))
        if installed(bench, "bench-v")["fetched"]:
            raise SystemExit("the second workspace fetched something")
        bench.kl("pkg", "remove", PACKAGE, "--workspace", "bench-v")
    for shell in [first, second]:
        shell.close()
    bench.report("add, in the store, to a run in an open shell", "ms", adds, nix, "p50 ≤ 60, p99 ≤ 150")
    bench.report("the same in a second workspace, 0 bytes", "ms", others, nix, "≤ 60")
    bench.report("remove", "ms", removes, aim="p50 ≤ 60")
    bench.report("rollback", "ms", rollbacks, aim="p50 ≤ 60")


def search(bench):
    words = ["json", "python", "compress", "http server", "jq", "database", "git", "ripgerp"]
    times = [bench.timed(lambda: bench.kl("pkg", "search", words[number % len(words)])) for number in range(bench.MANY)]
    bench.report("search the index of this host", "ms", times, aim="p99 ≤ 50")


def downloads_alone(bench):
    """Milliseconds that curl takes for the files that apt-get would fetch for each of the sets, one after the other."""
    with workspace(bench, "bench-d"):
        inside = lambda *command: bench.kl("ws", "exec", "bench-d", "--", *command)
        inside("sudo", "apt-get", "update", "-qq")
        lists = [inside("apt-get", "install", "-qq", "-y", "--print-uris", *packages) for packages in SETS]
        addresses = [[line.split("'")[1] for line in text.splitlines()] for text in lists]
        return sum(bench.timed(lambda: inside("curl", "-sSfL", "--remote-name-all", "--output-dir", "/tmp", *urls)) for urls in addresses if urls)


def at_once(bench):
    """Twenty workspaces that want different things at the same time; then the same again where all is there."""
    downloads = downloads_alone(bench)
    names = [f"bench-p{number}" for number in range(len(SETS))]
    for name in names:
        bench.kl("ws", "create", name)
    for title, baseline, aim in [
        ("20 workspaces add different sets at once, cold", [downloads], "≤ 2 × the downloads alone"), ("the same, in the store", None, "")
    ]:
        begin = time.perf_counter()
        with ThreadPoolExecutor(len(names)) as pool:
            list(pool.map(lambda pair: bench.kl("pkg", "add", *pair[1], "--workspace", pair[0]), zip(names, SETS)))
        bench.report(title, "ms", [(time.perf_counter() - begin) * 1000], baseline, aim)
        for name, packages in zip(names, SETS):
            bench.kl("pkg", "remove", *packages, "--workspace", name)
    for name in names:
        bench.kl("ws", "delete", name, "--yes")


def during_collection(bench):
    """Adds while garbage is being collected: what the twenty left."""
    shell = OpenShell(bench, "bench-w")
    collector = subprocess.Popen([bench.KL, "pkg", "gc", "--yes"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    adds = []
    while collector.poll() is None:
        bench.kl("pkg", "remove", PACKAGE, "--workspace", "bench-w")
        adds.append(add_and_run(bench, shell, "bench-w"))
    shell.close()
    if adds:
        bench.report("add, in the store, during a collection", "ms", adds)


def measure(bench):
    # Nix's own settings would point to a cache that may not be there.
    os.environ.setdefault("NIX_CONF_DIR", f"/var/lib/{bench.PREFIX}/packages/nix")
    cold(bench)
    warm(bench)
    search(bench)
    at_once(bench)
    during_collection(bench)
