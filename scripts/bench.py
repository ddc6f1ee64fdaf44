"""Measures what SPECIFICATION.md promises, against a running instance, beside plain Podman in the same minute.

Prints a table and writes bench.json: a list of {name, unit, n, p50, p99, baseline, ratio}. p99 is null below n = 200; baseline and ratio are
null where nothing comparable exists. Everything it makes is called bench-* and is removed at the end.
"""

import concurrent.futures
import contextlib
import ctypes
import http.client
import json
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import threading
import time

import bench_packages

PREFIX = os.environ.get("KILN_PREFIX", "kiln")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "12"))
MANY = int(os.environ.get("BENCH_MANY", "200"))
KL = os.environ.get("KL", "/usr/local/bin/kl")
IMAGE = "localhost/kiln/workspace"
CONFIG = json.loads((pathlib.Path.home() / ".config/kiln/config.json").read_text())
HOST, PORT = CONFIG["url"].split("//")[1].split(":")
HEADERS = {"Authorization": "Bearer " + CONFIG["token"], "Content-Type": "application/json"}
PODMAN_ENV = dict(
    os.environ,
    CONTAINERS_CONF=f"/var/lib/{PREFIX}/podman/containers.conf",
    CONTAINERS_STORAGE_CONF=f"/var/lib/{PREFIX}/podman/storage.conf",
)
USERNS = ["--uidmap", "0:2000000000:65536", "--gidmap", "0:2000000000:65536"]
libc = ctypes.CDLL(None, use_errno=True)
results = []


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def report(name, unit, values, baseline=None, aim=""):
    p50 = statistics.median(values)
    p99 = percentile(values, 0.99) if len(values) >= 200 else None
    base = statistics.median(baseline) if baseline else None
    row = {"name": name, "unit": unit, "n": len(values), "p50": round(p50, 3), "p99": None if p99 is None else round(p99, 3),
           "baseline": None if base is None else round(base, 3), "ratio": None if not base else round(p50 / base, 3)}
    results.append(row)
    show = lambda value: "–" if value is None else f"{value:.2f}"
    print(f"{name:<52} {unit:<6} {row['n']:>5} {show(p50):>9} {show(p99):>9} {show(base):>9} {show(row['ratio']):>6}  {aim}", flush=True)


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}\n{done.stderr.decode()}")
    return done.stdout.decode()


def kl(*arguments):
    return run(KL, *arguments)


def podman(*arguments):
    return run("podman", *arguments, env=PODMAN_ENV)


def timed(action):
    begin = time.perf_counter()
    action()
    return (time.perf_counter() - begin) * 1000


def call(connection, method, path, body=None):
    connection.request(method, path, None if body is None else json.dumps(body), HEADERS)
    answer = connection.getresponse()
    data = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"{method} {path}: {answer.status} {data.decode()}")
    return json.loads(data) if data else None


def frame(kind, payload):
    return bytes([kind]) + len(payload).to_bytes(4, "big") + payload


def session_exit(name, command):
    """Runs a command by the API's sessions and returns its exit status."""
    payload = frame(0, json.dumps({"command": command, "variables": []}).encode()) + frame(2, b"")
    link = socket.create_connection((HOST, int(PORT)))
    head = f"POST /api/v1/workspaces/{name}/sessions HTTP/1.1\r\nHost: {HOST}:{PORT}\r\nAuthorization: {HEADERS['Authorization']}\r\n" \
        f"Transfer-Encoding: chunked\r\n\r\n"
    # The body stays open: its end would hang the program up.
    link.sendall(head.encode() + f"{len(payload):x}\r\n".encode() + payload + b"\r\n")
    response = http.client.HTTPResponse(link)
    response.begin()
    data = response.read() if response.status == 200 else b""
    link.close()
    if not data or data[-6] != 18:
        raise SystemExit(f"session in {name}: {response.status} {data!r}")
    return data[-1]


def create_by_api(name):
    link = http.client.HTTPConnection(HOST, int(PORT))
    created = call(link, "POST", "/api/v1/workspaces", {"name": name})
    wait(created["metadata"]["id"], lambda resource: resource["status"]["phase"] == "Running")
    if session_exit(name, ["true"]) != 0:
        raise SystemExit("true failed")


def wait(identity, accept):
    link = http.client.HTTPConnection(HOST, int(PORT), timeout=60)
    link.request("GET", f"/api/v1/events?resource={identity}", headers=HEADERS)
    stream = link.getresponse()
    while True:
        line = stream.readline()
        if not line:
            raise SystemExit("the event stream ended")
        if line.startswith(b"data:"):
            resource = json.loads(line[5:]).get("resource", {})
            if "status" in resource and accept(resource):
                link.close()
                return


def podman_create(name):
    podman("run", "-d", "--init", "--network", "none", *USERNS, "--name", name, IMAGE, "sleep", "infinity")
    podman("exec", name, "true")


def podman_remove(name):
    """Podman 4.3 sometimes finds its own mount busy; the second time it does not."""
    for attempt in range(3):
        if subprocess.run(["podman", "rm", "-f", "-t", "0", name], env=PODMAN_ENV, capture_output=True).returncode == 0:
            return
        time.sleep(0.5)
    raise SystemExit(f"podman rm {name} failed three times")


def bench_create():
    api, whole, resume, base = [], [], [], []
    for index in range(ROUNDS):
        name = f"bench-a{index}"
        api.append(timed(lambda: create_by_api(name)))
        base.append(timed(lambda: podman_create(f"bench-p{index}")))
        other = f"bench-k{index}"
        whole.append(timed(lambda: (kl("ws", "create", other), kl("ws", "exec", other, "--", "true"))))
        kl("ws", "suspend", other)
        resume.append(timed(lambda: (kl("ws", "resume", other), kl("ws", "exec", other, "--", "true"))))
        podman_remove(f"bench-p{index}")
        kl("ws", "delete", name, "--yes")
        kl("ws", "delete", other, "--yes")
    for index in range(max(0, MANY - ROUNDS)):
        name = f"bench-n{index}"
        api.append(timed(lambda: create_by_api(name)))
        kl("ws", "delete", name, "--yes")
    report("create → first command, through the API", "ms", api, base, "p50 ≤ 110, p99 ≤ 300, ≤ 0.6 ×")
    report("create → first command, by kl", "ms", whole, base, "p50 ≤ 110, ≤ 0.6 ×")
    report("resume → first command, by kl", "ms", resume, base, "p50 ≤ 110")


def bench_exec():
    podman_create("bench-pe")
    ours, base = [], []
    for index in range(MANY):
        ours.append(timed(lambda: kl("ws", "exec", "bench-w", "--", "true")))
        if index % 5 == 0:
            base.append(timed(lambda: podman("exec", "bench-pe", "true")))
    podman_remove("bench-pe")
    report("kl ws exec NAME -- true", "ms", ours, base, "≤ 0.4 ×")


def inside(namespace, action):
    """Runs `action` in a thread that entered a network namespace; its sockets stay there."""
    outcome = []

    def enter():
        handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
        if libc.setns(handle, 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.close(handle)
        outcome.append(action())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return outcome[0]


def query(name):
    labels = b"".join(bytes([len(part)]) + part for part in name.encode().split(b".")) + b"\0"
    return b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0" + labels + b"\0\x01\0\x01"


def reach(service, port):
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.settimeout(2)
    link.sendto(query(service), ("169.254.1.53", 53))
    answer = link.recv(512)
    if answer[7] == 0:
        raise SystemExit(f"{service} did not resolve")
    socket.create_connection((socket.inet_ntoa(answer[-4:]), port), timeout=2).close()


def bench_connect(identity):
    values = []
    for _ in range(MANY):
        kl("env", "disconnect", "--workspace", "bench-w")
        values.append(timed(lambda: (
            kl("env", "connect", "bench-e", "--workspace", "bench-w"),
            inside(f"{PREFIX}-w-{identity}", lambda: reach("web", 8080)))))
    report("connect → name resolved, TCP open, by kl", "ms", values, None, "p50 ≤ 25, p99 ≤ 60")


ECHO = """
import socket, threading
s = socket.create_server(("0.0.0.0", 7777))
def serve(c):
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while True:
        # Whoever measures what goes through leaves without a good-bye.
        try: d = c.recv(1 << 18)
        except ConnectionResetError: return
        if not d: return
        if len(d) <= 64: c.sendall(d)
while True: threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
"""


def round_trips(address):
    link = socket.create_connection((address, 7777))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    values = []
    for _ in range(4000):
        begin = time.perf_counter()
        link.sendall(b"x")
        link.recv(64)
        values.append((time.perf_counter() - begin) * 1e6)
    link.close()
    return values[500:]


def throughput(address):
    link = socket.create_connection((address, 7777))
    block = bytes(1 << 18)
    sent, end = 0, time.perf_counter() + 1.0
    while time.perf_counter() < end:
        link.sendall(block)
        sent += len(block)
    link.close()
    return sent * 8 / 1e9


def bench_virtual_address(identity, environment):
    service = f"{PREFIX}-s-{environment}-1"
    for namespace in ("bench-va", "bench-vb"):
        run("ip", "netns", "add", namespace)
    run("ip", "link", "add", "v0", "netns", "bench-va", "type", "veth", "peer", "name", "v0", "netns", "bench-vb")
    for namespace, address in (("bench-va", "192.0.2.201/24"), ("bench-vb", "192.0.2.202/24")):
        run("ip", "-n", namespace, "addr", "add", address, "dev", "v0")
        run("ip", "-n", namespace, "link", "set", "v0", "up")
    servers = [subprocess.Popen(["ip", "netns", "exec", where, sys.executable, "-c", ECHO]) for where in (service, "bench-vb")]
    time.sleep(0.7)
    try:
        rates, base_rates, latencies, base_latencies = [], [], [], []
        for _ in range(10):
            rates.append(inside(f"{PREFIX}-w-{identity}", lambda: throughput("198.18.0.1")))
            base_rates.append(inside("bench-va", lambda: throughput("192.0.2.202")))
            latencies += inside(f"{PREFIX}-w-{identity}", lambda: round_trips("198.18.0.1"))
            base_latencies += inside("bench-va", lambda: round_trips("192.0.2.202"))
    finally:
        for server in servers:
            server.kill()
        for namespace in ("bench-va", "bench-vb"):
            run("ip", "netns", "del", namespace)
    report("throughput over a virtual address, beside a veth", "Gb/s", rates, base_rates, "≥ 0.8 ×")
    report("round trip over a virtual address, beside a veth", "µs", latencies, base_latencies, "p99 ≤ +20 µs")
    report("  p99 of the plain veth in the same run", "µs", base_latencies, None)


SIDE = """
import socket
s = socket.create_server(("{host}", {port}), backlog=1024)
print("ready", flush=True)
while True:
    c = s.accept()[0]
    c.sendall(b"{name}")
    c.close()
"""


def side(address, port=8080):
    """Who answers a new connection: what speaks first says its name, the original waits for a request. None while nobody does."""
    try:
        with socket.create_connection((address, port), timeout=2) as link:
            link.sendall(b"GET /none HTTP/1.0\r\n\r\n")
            return link.recv(9)[:1].decode()
    except OSError:
        return None


# Its one thread stays in the host's namespace.
launcher = concurrent.futures.ThreadPoolExecutor(1)
launcher.submit(int).result()


def at_home(command, **options):
    """Starts a program in the host's namespace, from whichever this thread is in, as a shell would: without a copy of all of Python first."""
    return launcher.submit(subprocess.Popen, command, stdout=subprocess.DEVNULL, **options).result()


def until(wanted, action, address="198.18.0.1"):
    """Milliseconds from the start of `action` to the first new connection that the wanted side answered, and to the end of what it started."""
    begin = time.perf_counter()
    pending = action()
    while side(address) != wanted:
        if pending and pending.poll():
            break
        # Not to take the processor from those who are measured.
        time.sleep(0.001)
    took = (time.perf_counter() - begin) * 1000
    if pending and pending.wait() != 0:
        raise SystemExit(f"{pending.args}: status {pending.returncode}")
    return took, (time.perf_counter() - begin) * 1000


def bench_intercept(identity, environment):
    caller = json.loads(kl("ws", "create", "bench-c", "--json"))["metadata"]["id"]
    for name in ("bench-w", "bench-c"):
        kl("env", "connect", "bench-e", "--workspace", name)
    own, others = f"{PREFIX}-w-{identity}", f"{PREFIX}-w-{caller}"
    bench_switch(others)
    bench_failback(own, others)
    bench_call(own, others, f"{PREFIX}-s-{environment}-1")


def serve_inside():
    """The developer's program, in the workspace as they would start it."""
    program = SIDE.format(host="127.0.0.1", port=3000, name="workspace")
    kl("ws", "exec", "bench-w", "--", "sh", "-c", 'setsid python3 -c "$1" > /tmp/side 2>&1 < /dev/null & '
       "until grep -q ready /tmp/side; do sleep 0.01; done", "sh", program)


def bench_switch(others):
    def begin(*words):
        return lambda: at_home([KL, "intercept", *words, "--workspace", "bench-w"])

    serve_inside()
    starts, stops = [], []
    for _ in range(MANY):
        starts.append(inside(others, lambda: until("w", begin("start", "web", "--port", "8080:3000"))))
        stops.append(inside(others, lambda: until("H", begin("stop", "web"))))
    base = replace_by_hand()
    report("intercept start → first connection there, by kl", "ms", [first for first, _ in starts], base, "p50 ≤ 15, p99 ≤ 30")
    report("  until the command returned", "ms", [whole for _, whole in starts])
    report("intercept stop → first connection back, by kl", "ms", [first for first, _ in stops], base, "p50 ≤ 15, p99 ≤ 30")
    report("  until the command returned", "ms", [whole for _, whole in stops])


def replace_by_hand():
    """The nearest thing to a switch without Kiln: one container stopped and another started in its place."""
    run("ip", "netns", "add", "bench-swap")
    run("ip", "-n", "bench-swap", "link", "set", "lo", "up")
    try:
        for name in ("a", "b"):
            program = SIDE.format(host="127.0.0.1", port=8080, name=name)
            podman("create", "--name", f"bench-swap-{name}", "--network", "ns:/run/netns/bench-swap", IMAGE, "python3", "-c", program)
        podman("start", "bench-swap-a")

        def swap(old, new):
            script = f"podman stop --time 0 bench-swap-{old} && podman start bench-swap-{new}"
            return at_home(["sh", "-c", script], env=PODMAN_ENV, stderr=subprocess.DEVNULL)

        pairs = [("a", "b"), ("b", "a")] * (ROUNDS // 2)
        return [inside("bench-swap", lambda: until(new, lambda: swap(old, new), "127.0.0.1"))[0] for old, new in pairs]
    finally:
        podman("rm", "--force", "--time", "0", "bench-swap-a", "bench-swap-b")
        run("ip", "netns", "del", "bench-swap")


def bench_failback(own, others):
    """What a developer loses: the program alone, then everything in the workspace at once."""
    kl("intercept", "start", "web", "--port", "8080:3000", "--workspace", "bench-w")

    def kill(isCondemned):
        """Sent before anybody is waited for."""
        victims = [int(pid) for pid in run("ip", "netns", "pids", own).split() if isCondemned(int(pid))]

        def send():
            for pid in victims:
                # Killing the first process takes the others along.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, 9)

        return send

    def is_program(pid):
        return b"create_server" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()

    for what, condemned in (("program killed", is_program), ("workspace killed", lambda pid: True)):
        backs = []
        for _ in range(MANY):
            while not inside(others, lambda: side("198.18.0.1") == "w"):
                time.sleep(0.01)
            action = kill(condemned)
            backs.append(inside(others, lambda: until("H", action))[0])
            for _ in range(100):
                if subprocess.run([KL, "ws", "exec", "bench-w", "--", "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                    break
                time.sleep(0.1)
            serve_inside()
        base = restart_by_hand() if condemned is not is_program else None
        report(f"failback: {what} → the original answers", "ms", backs, base, "p99 ≤ 250")
    kl("intercept", "stop", "--workspace", "bench-w")


def restart_by_hand():
    """The nearest thing without Kiln: a container that is killed, and that Podman starts again."""
    run("ip", "netns", "add", "bench-swap")
    run("ip", "-n", "bench-swap", "link", "set", "lo", "up")
    try:
        program = SIDE.format(host="127.0.0.1", port=8080, name="a")
        podman("run", "--detach", "--name", "bench-swap-a", "--restart", "always", "--network", "ns:/run/netns/bench-swap", IMAGE, "python3", "-c",
               program)
        values = []
        for _ in range(ROUNDS):
            while not inside("bench-swap", lambda: side("127.0.0.1") == "a"):
                time.sleep(0.01)
            pid = int(podman("inspect", "--format", "{{.State.Pid}}", "bench-swap-a"))

            def killed():
                os.kill(pid, 9)
                # Its listener goes with it; until then the old one would be taken for the new.
                while inside("bench-swap", lambda: side("127.0.0.1") == "a"):
                    pass

            values.append(inside("bench-swap", lambda: until("a", killed, "127.0.0.1"))[0])
        return values
    finally:
        podman("rm", "--force", "--time", "0", "bench-swap-a")
        run("ip", "netns", "del", "bench-swap")


def bench_call(own, others, service):
    servers = [subprocess.Popen(["ip", "netns", "exec", where, sys.executable, "-c", ECHO], stderr=subprocess.DEVNULL) for where in (service, own)]
    time.sleep(0.7)
    rates, base_rates, latencies, base_latencies = [], [], [], []
    try:
        for _ in range(10):
            base_rates.append(inside(others, lambda: throughput("198.18.0.1")))
            base_latencies += inside(others, lambda: round_trips("198.18.0.1"))
            kl("intercept", "start", "web", "--port", "7777", "--workspace", "bench-w")
            rates.append(inside(others, lambda: throughput("198.18.0.1")))
            latencies += inside(others, lambda: round_trips("198.18.0.1"))
            kl("intercept", "stop", "--workspace", "bench-w")
    finally:
        for server in servers:
            server.kill()
    report("throughput through an intercept, beside direct", "Gb/s", rates, base_rates, "≥ 0.9 ×")
    report("round trip through an intercept, beside direct", "µs", latencies, base_latencies, "p99 ≤ +20 µs")
    report("  p99 of direct calls in the same run", "µs", [percentile(base_latencies, 0.99)])
    report("  above it", "µs", [percentile(latencies, 0.99) - percentile(base_latencies, 0.99)], None, "≤ 20")


def bench_environment(directory):
    """Ten services to healthy, beside the same ten by Podman, one after the other as a script would."""
    server = ["python3", "-m", "http.server", "8080", "--directory", "/usr/share/doc"]
    probe = ["python3", "-c", "import socket; socket.create_connection(('127.0.0.1', 8080), 1)"]
    kl("env", "create", "bench-ten", "--file", str(directory / "ten.yaml"))
    ours, base = [], []
    for _ in range(10):
        kl("env", "stop", "bench-ten")
        ours.append(timed(lambda: kl("env", "start", "bench-ten")))

        def by_hand():
            for index in range(10):
                podman("run", "--detach", "--name", f"bench-ten-{index}", "--network", "none", *USERNS, IMAGE, *server)
            for index in range(10):
                while subprocess.run(["podman", "exec", f"bench-ten-{index}", *probe], env=PODMAN_ENV, stderr=subprocess.DEVNULL).returncode:
                    time.sleep(0.05)

        base.append(timed(by_hand))
        for index in range(10):
            podman_remove(f"bench-ten-{index}")
    report("environment of 10 services: start → all healthy", "ms", ours, base, "≤ 0.8 ×")


def bench_status():
    script = "import subprocess, time\nfor _ in range(%d):\n b = time.perf_counter(); subprocess.run(['kl', 'status'], " \
        "stdout=subprocess.DEVNULL, check=True); print((time.perf_counter() - b) * 1000)" % (MANY + 10)
    values = [float(line) for line in kl("ws", "exec", "bench-w", "--", "python3", "-c", script).split()]
    report("kl status in a workspace, whole process", "ms", values[10:], None, "≤ 20")


def private(process):
    text = pathlib.Path(f"/proc/{process}/smaps_rollup").read_text()
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(("Private_Clean", "Private_Dirty"))) / 1024


def processes(match):
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if match([word.decode(errors="replace") for word in words]):
                found.append(int(entry.name))
    return found


def bench_memory(identity):
    container = f"{PREFIX}-w-{identity}"
    monitors = processes(lambda words: "conmon" in words[0] and container in words)
    members = [pid for monitor in monitors for pid in [monitor] + descendants(monitor)]
    report("idle memory of a workspace, all its processes", "MiB", [sum(map(private, members))], None, "≤ 12")
    for name, match, aim in (
        ("kilnd", lambda words: words[0].endswith(f"{PREFIX}/kilnd"), 40),
        ("kiln-agent", lambda words: words[0].endswith(f"{PREFIX}/kiln-agent"), 40),
        ("Podman service", lambda words: words[0].endswith("podman") and "service" in words and any(PREFIX in word for word in words), 60),
    ):
        report(f"idle memory of {name}", "MiB", [sum(map(private, processes(match)))], None, f"≤ {aim}")


def descendants(process):
    children = pathlib.Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [each for child in children for each in [int(child)] + descendants(int(child))]


def bench_api():
    """A kilnd of its own, without an agent, holding 1,000 workspaces; 500 requests a second for 10 s from four connections, on a fixed beat."""
    with __import__("tempfile").TemporaryDirectory() as directory:
        for part in ("state", "run"):
            (pathlib.Path(directory) / part).mkdir()
        daemon = os.environ.get("KILND", f"/usr/local/lib/{PREFIX}/kilnd")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        where = ["--instance", "bench", "--slot", "31", "--state-directory", f"{directory}/state", "--runtime-directory", f"{directory}/run"]
        token = run(daemon, "token", "create", "--owner", "bench", "--admin", *where).strip()
        server = subprocess.Popen([daemon, "run", *where, "--port", str(port)], stderr=subprocess.DEVNULL)
        try:
            headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
            link = http.client.HTTPConnection("127.0.0.1", port)
            for _ in range(100):
                try:
                    link.connect()
                    break
                except OSError:
                    time.sleep(0.05)

            def ask(link, method, path, body=None):
                link.request(method, path, body, headers)
                answer = link.getresponse()
                data = answer.read()
                if answer.status >= 300:
                    raise SystemExit(f"{method} {path}: {answer.status} {data.decode()}")
                return data

            ask(link, "POST", "/api/v1/workmachines", '{"name":"local"}')
            for index in range(1000):
                ask(link, "POST", "/api/v1/workspaces", json.dumps({"name": f"w{index}"}))
            values, lock = {"get": [], "list": []}, threading.Lock()

            def worker(offset):
                link = http.client.HTTPConnection("127.0.0.1", port)
                begin = time.perf_counter() + 0.2
                for index in range(1250):
                    due = begin + (index * 4 + offset) / 500
                    time.sleep(max(0, due - time.perf_counter()))
                    kind, path = ("get", f"/api/v1/workspaces/w{index % 1000}") if index % 2 else ("list", "/api/v1/workspaces?limit=50")
                    start = max(due, 0)
                    ask(link, "GET", path)
                    with lock:
                        values[kind].append((time.perf_counter() - start) * 1000)

            threads = [threading.Thread(target=worker, args=(offset,)) for offset in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            server.kill()
            server.wait()
    report("API get, 500 req/s, 1,000 workspaces", "ms", values["get"], None, "p99 ≤ 15")
    report("API list of 50, 500 req/s, 1,000 workspaces", "ms", values["list"], None, "p99 ≤ 15")


def clean():
    for workspace in json.loads(kl("ws", "list", "--json")):
        if workspace["metadata"]["name"].startswith("bench-"):
            kl("ws", "delete", workspace["metadata"]["name"], "--yes")
    for environment in json.loads(kl("env", "list", "--json")):
        if environment["metadata"]["name"].startswith("bench-"):
            kl("env", "delete", environment["metadata"]["name"], "--yes", "--volumes")


def main():
    only = set(sys.argv[1:])
    wanted = lambda part: not only or part in only
    machine = json.loads(kl("machine", "show", "local", "--json"))
    print("runtime:", machine["status"].get("engine", {}).get("runtime"), "· engine:", machine["status"].get("engine", {}).get("engine"))
    print(f"{'what':<52} {'unit':<6} {'n':>5} {'p50':>9} {'p99':>9} {'baseline':>9} {'ratio':>6}  aim")
    clean()
    directory = pathlib.Path(__file__).parent / "bench-environment"
    try:
        kl("ws", "create", "bench-w")
        kl("env", "create", "bench-e", "--file", str(directory / "compose.yaml"))
        identity = json.loads(kl("ws", "show", "bench-w", "--json"))["metadata"]["id"]
        environment = json.loads(kl("env", "show", "bench-e", "--json"))["metadata"]["id"]
        if wanted("memory"):
            time.sleep(2)
            bench_memory(identity)
        if wanted("exec"):
            bench_exec()
        if wanted("status"):
            bench_status()
        if wanted("connect"):
            bench_connect(identity)
        if wanted("address"):
            kl("env", "connect", "bench-e", "--workspace", "bench-w")
            bench_virtual_address(identity, environment)
        if wanted("intercept"):
            bench_intercept(identity, environment)
        if wanted("ten"):
            bench_environment(directory)
        if wanted("create"):
            bench_create()
        if wanted("packages"):
            bench_packages.measure(sys.modules[__name__])
    finally:
        clean()
    if wanted("api"):
        bench_api()
    pathlib.Path("bench.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
