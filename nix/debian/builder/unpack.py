"""Unpacks Debian packages on top of each other."""

import concurrent.futures
import io
import lzma
import os
import subprocess
import tarfile
import gzip

# Of no use to a program: documents beyond manuals, translations, what belongs to other packaging tools. Licences stay.
LEFT_OUT = [
    "./usr/share/doc/*/?*",
    "./usr/share/doc-base/*",
    "./usr/share/lintian/*",
    "./usr/share/bug/*",
    "./usr/share/locale/*/LC_MESSAGES/*",
    "./usr/share/man/??/*",
    "./usr/share/man/??[_.]*/*",
    "./usr/share/man/???/*",
]
KEPT = "copyright"

TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
LOADERS = {"amd64": "ld-linux-x86-64.so.2", "arm64": "ld-linux-aarch64.so.1"}


class Tree:
    """A folder in the place of `/`."""

    def __init__(self, path, architecture):
        self.path = path
        self.architecture = architecture
        self.triplet = TRIPLETS[architecture]
        self.libraries = f"{path}/usr/lib/{self.triplet}"
        os.makedirs(f"{path}/usr")
        # Debian's merged /usr; packages of before it still say /lib and /bin.
        for name in ["bin", "sbin", "lib", "lib64"]:
            os.makedirs(f"{path}/usr/{name}")
            os.symlink(f"usr/{name}", f"{path}/{name}")

    @property
    def loader(self):
        """The dynamic linker; None in a tree without a C library."""
        path = f"{self.libraries}/{LOADERS[self.architecture]}"
        return path if os.path.exists(path) else None

    def place(self, path):
        """Where a path of Debian lies in the tree."""
        return self.path + path

    def has(self, path):
        return os.path.lexists(self.path + path)


def unpack(tree, packages):
    """Returns the files of each package as Debian names them, `/usr/bin/jq`, by the package's name."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        lists = list(pool.map(lambda package: _unpack_one(tree, package["path"]), packages))
    return {package["name"]: files for package, files in zip(packages, lists)}


def _unpack_one(tree, deb):
    arguments = ["tar", "--extract", "--verbose", "--directory", tree.path, "--keep-directory-symlink", "--no-same-owner", "--no-same-permissions"]
    arguments += [f"--exclude={pattern}" for pattern in LEFT_OUT]
    archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE)
    tar = subprocess.run(arguments, stdin=archive.stdout, stdout=subprocess.PIPE, check=False)
    archive.stdout.close()
    if archive.wait() not in (0, -13) or tar.returncode != 0:
        raise SystemExit(f"{os.path.basename(deb)} could not be unpacked")
    return [merged(line[1:]) for line in os.fsdecode(tar.stdout).splitlines() if not line.endswith("/")]


def merged(path):
    """`/bin/x` as `/usr/bin/x`."""
    return "/usr" + path if path.startswith(("/bin/", "/sbin/", "/lib/", "/lib64/")) else path


def control_file(deb, name):
    """The text of a file among a package's control files; None when there is none."""
    with open(deb, "rb") as file:
        for member, size in _members(file):
            if member.startswith("control.tar"):
                return _from_tar(_decompressed(member, file.read(size), deb), name)
    return None


def _members(file):
    """The members of an archive of ar(5), the file standing at the contents of each."""
    if file.read(8) != b"!<arch>\n":
        return
    while len(header := file.read(60)) == 60:
        size = int(header[48:58])
        start = file.tell()
        yield header[:16].decode().strip().rstrip("/"), size
        file.seek(start + size + size % 2)


def _decompressed(member, data, deb):
    if member.endswith(".xz"):
        return lzma.decompress(data)
    if member.endswith(".gz"):
        return gzip.decompress(data)
    if member.endswith(".tar"):
        return data
    return subprocess.run(["dpkg-deb", "--ctrl-tarfile", deb], stdout=subprocess.PIPE, check=True).stdout


def _from_tar(data, name):
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            if member.name.removeprefix("./") == name:
                return tar.extractfile(member).read().decode(errors="replace")
    return None
