"""Makes programs find their dynamic linker, their libraries and their own files in the tree."""

import concurrent.futures
import os
import shutil
import struct
import subprocess

# elf(5).
PT_DYNAMIC, PT_INTERP, PT_LOAD = 2, 3, 1
DT_NULL, DT_STRTAB, DT_RPATH, DT_RUNPATH = 0, 5, 15, 29
REDIRECT = "/usr/lib/kiln/redirect.so"


class File:
    """What matters here of a 64-bit little-endian ELF file."""

    def __init__(self, path):
        with open(path, "rb") as file:
            header = file.read(64)
            (offset,) = struct.unpack_from("<Q", header, 32)
            size, count = struct.unpack_from("<HH", header, 54)
            file.seek(offset)
            table = file.read(size * count)
            segments = [struct.unpack_from("<IIQQQQQQ", table, index * size) for index in range(count)]
            self.has_interpreter = any(segment[0] == PT_INTERP for segment in segments)
            self.is_dynamic = False
            # The offset in the file of DT_RUNPATH's tag, and the search paths.
            self.runpath_tag = None
            self.search_path = []
            for kind, _, offset, _, _, size, _, _ in segments:
                if kind == PT_DYNAMIC:
                    self.is_dynamic = True
                    self._read_dynamic(file, segments, offset, size)

    def _read_dynamic(self, file, segments, offset, size):
        file.seek(offset)
        table = file.read(size)
        strings, search = None, None
        for index in range(0, len(table) - 15, 16):
            tag, value = struct.unpack_from("<QQ", table, index)
            if tag == DT_NULL:
                break
            if tag == DT_STRTAB:
                strings = value
            elif tag in (DT_RPATH, DT_RUNPATH):
                search = value
                self.runpath_tag = offset + index if tag == DT_RUNPATH else None
        if strings is None or search is None:
            return
        address = strings + search
        for kind, _, start, virtual, _, length, _, _ in segments:
            if kind == PT_LOAD and virtual <= address < virtual + length:
                file.seek(start + address - virtual)
                text = file.read(65536).split(b"\0", 1)[0]
                self.search_path = [part for part in os.fsdecode(text).split(":") if part]


def patch(tree, redirect):
    """Returns the programs that were patched, by their paths."""
    if not tree.loader:
        return []
    os.makedirs(f"{tree.path}/usr/lib/kiln")
    shutil.copyfile(redirect, tree.place(REDIRECT))
    search = _library_folders(tree)
    programs, libraries = [], []
    for path in _elf_files(tree):
        try:
            file = File(path)
        except struct.error:
            continue
        if not file.is_dynamic or path == tree.loader or path == tree.place(REDIRECT):
            continue
        if file.has_interpreter and not _is_library(path):
            programs.append((path, file))
        elif file.search_path:
            libraries.append((path, file))
    with concurrent.futures.ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        list(pool.map(lambda item: _patch_program(tree, search, *item), programs))
        list(pool.map(lambda item: _patch_library(tree, *item), libraries))
    return [path for path, _ in programs]


def _elf_files(tree):
    """Every ELF file once: one with two names (perl) must not be patched twice."""
    seen = set()
    for folder, _, files in os.walk(tree.path):
        for name in files:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not (".so" in name or os.access(path, os.X_OK)):
                continue
            with open(path, "rb") as file:
                number = os.fstat(file.fileno()).st_ino
                if number not in seen and file.read(6) == b"\x7fELF\x02\x01":
                    seen.add(number)
                    yield path


def _is_library(path):
    """libc.so.6 can be run, too, and must stay as it is."""
    name = os.path.basename(path)
    return name.startswith("lib") and ".so" in name


def _library_folders(tree):
    """Where the dynamic linker would look: the standard folders, and what packages add in /etc/ld.so.conf.d."""
    folders = [f"/usr/lib/{tree.triplet}", "/usr/lib"]
    configuration = tree.place("/etc/ld.so.conf.d")
    for name in sorted(os.listdir(configuration)) if os.path.isdir(configuration) else []:
        with open(os.path.join(configuration, name)) as file:
            folders += [line.strip() for line in file if line.startswith("/")]
    seen = []
    for folder in map(lambda folder: _merged(folder.rstrip("/")), folders):
        if tree.has(folder) and tree.place(folder) not in seen:
            seen.append(tree.place(folder))
    return seen


def _merged(folder):
    return "/usr" + folder if folder.startswith(("/lib/", "/lib64/")) or folder in ("/lib", "/lib64") else folder


def _in_tree(tree, search_path):
    """A search path's folders of Debian as folders of the tree; those relative to the file stay."""
    return [tree.place(_merged(part)) if part.startswith("/") else part for part in search_path]


def _patch_program(tree, search, path, file):
    # DT_RPATH, not DT_RUNPATH: it holds for what libraries need in their turn, and those stay untouched and shared.
    folders = _in_tree(tree, file.search_path) + search
    # In two runs: patchelf 0.14 gives a new search path and a new needed library the same place when asked for both.
    _run_patchelf(path, ["--add-needed", tree.place(REDIRECT)])
    _run_patchelf(path, ["--set-interpreter", tree.loader, "--force-rpath", "--set-rpath", ":".join(dict.fromkeys(folders))])


def _patch_library(tree, path, file):
    if any(part.startswith("/") for part in file.search_path):
        _run_patchelf(path, ["--force-rpath", "--set-rpath", ":".join(_in_tree(tree, file.search_path))])
    elif file.runpath_tag is not None:
        # A DT_RUNPATH would keep the program's DT_RPATH from the libraries that this one needs. Only the tag differs.
        with _writable(path), open(path, "r+b") as opened:
            opened.seek(file.runpath_tag)
            opened.write(struct.pack("<Q", DT_RPATH))


def _run_patchelf(path, arguments):
    with _writable(path):
        done = subprocess.run(["patchelf"] + arguments + [path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise SystemExit(f"patchelf could not change {path}: {done.stderr.decode(errors='replace').strip()}")


class _writable:
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.mode = os.stat(self.path).st_mode
        os.chmod(self.path, self.mode | 0o200)

    def __exit__(self, *_):
        os.chmod(self.path, self.mode)
