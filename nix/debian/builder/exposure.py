"""What a workspace sees of a tree."""

import glob
import os
import re

import launchers
import unpack

PROGRAM_FOLDERS = ["/usr/bin", "/usr/sbin", "/usr/games"]
# Where packages keep programs that several versions have: /usr/lib/postgresql/17/bin/psql.
PRIVATE_PROGRAM = re.compile(r"^/usr/lib/[^/]+(?:/[^/]+)?/bin/[^/]+$")
SHARED_FOLDERS = ["/usr/share/man/man", "/usr/share/info/", "/usr/share/bash-completion/completions/", "/usr/share/zsh/vendor-completions/",
                  "/usr/share/fish/vendor_completions.d/", "/usr/share/applications/", "/usr/share/icons/"]


# Part of every closure, whatever was wanted.
ALWAYS_THERE = {"libc6", "libc-bin", "dash", "sensible-utils"}
NEVER_MEANT = ALWAYS_THERE | {"perl-base", "python3-minimal"}

# Programs of packages that the wanted one needs, for whatever it starts: found after everything else in the PATH (`PackageMounts` in
# Sources/LinuxEngine), so that they hide nothing. npm's scripts call node, rustc calls cc.
NEEDED = "libexec/needed"


class Shown:
    def __init__(self):
        # Path in the tree, as Debian names it, by the program's name.
        self.programs = {}
        # The same of programs that these may call.
        self.needed = {}
        # Paths as Debian names them.
        self.files = set()


def choose(tree, recipe, files):
    """The programs of the wanted package; when it only stands for others, theirs."""
    packages = {package["name"]: package for package in recipe["packages"]}
    shown = Shown()
    alternatives = _alternatives_by_target(tree)
    layer, seen, meant = [recipe["name"]], set(), set()
    while layer and not shown.programs:
        for name in _with_siblings(layer, packages):
            _add(tree, shown, files[name], alternatives)
            meant.add(name)
        seen.update(layer)
        layer = [needed for name in layer for needed in packages[name]["needs"] if needed in packages and needed not in seen | NEVER_MEANT]
    for name in packages:
        if name not in meant | ALWAYS_THERE:
            _add_needed(tree, shown, files[name], alternatives)
    return shown


def _with_siblings(names, packages):
    """Packages with what they need that was made together with them: openjdk-21-jdk with openjdk-21-jdk-headless."""
    result, left = [], list(names)
    while left:
        name = left.pop(0)
        if name in result:
            continue
        result.append(name)
        left += [other for other in packages[name]["needs"] if other in packages and _are_siblings(packages[name], packages[other])]
    return result


def _are_siblings(one, other):
    """A source may build packages of several versions: those of postgresql-client-common and postgresql-client have little in common."""
    return one["source"] == other["source"] and one["version"] == other["version"]


def _alternatives_by_target(tree):
    """Links such as /usr/bin/vim by the file that they lead to, /usr/bin/vim.basic."""
    result = {}
    for folder in PROGRAM_FOLDERS:
        for link in glob.glob(tree.place(folder) + "/*"):
            if os.path.islink(link) and "/etc/alternatives/" in os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link))):
                result.setdefault(os.path.realpath(link), []).append(link[len(tree.path):])
    return result


def _add(tree, shown, files, alternatives):
    if not any(os.path.dirname(file) in PROGRAM_FOLDERS for file in files):
        for file in filter(PRIVATE_PROGRAM.match, files):
            _add_program(tree, shown.programs, file)
    for file in files:
        if os.path.dirname(file) in PROGRAM_FOLDERS:
            _add_program(tree, shown.programs, file)
        elif any(file.startswith(folder) for folder in SHARED_FOLDERS):
            shown.files.add(file)
        for link in alternatives.get(os.path.realpath(tree.place(file)), []):
            _add_program(tree, shown.programs, link)


def _add_needed(tree, shown, files, alternatives):
    for file in files:
        own = [file] if os.path.dirname(file) in PROGRAM_FOLDERS else []
        for program in own + alternatives.get(os.path.realpath(tree.place(file)), []):
            if os.path.basename(program) not in shown.programs:
                _add_program(tree, shown.needed, program)


def _add_program(tree, programs, file):
    place = tree.place(file)
    if os.path.isfile(place) and os.access(place, os.X_OK):
        programs.setdefault(os.path.basename(file), file)


def show(tree, shown, out):
    for folder, programs in [("bin", shown.programs), (NEEDED, shown.needed)]:
        if programs:
            os.makedirs(f"{out}/{folder}")
        for name, file in sorted(programs.items()):
            launchers.show(tree, name, file, f"{out}/{folder}/{name}")
    for file in sorted(shown.files):
        if not os.path.exists(tree.place(file)):
            continue
        link = out + file.removeprefix("/usr")
        os.makedirs(os.path.dirname(link), exist_ok=True)
        os.symlink(tree.place(file), link)
