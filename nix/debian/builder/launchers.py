"""Programs that are started by a script: they must know more than where they lie."""

import os
import re

COMPILER = re.compile(r"^(?:[a-z0-9_]+-linux-gnu-)?(?P<kind>gcc|g\+\+|c\+\+|cc|c89|c99|cpp|gfortran|gdc|gnat|clang|clang\+\+|clang-cpp)(?:-[0-9.]+)?$")

COMPILER_LAUNCHER = """#!{shell}
# {name} with the headers and libraries that it came with. What it links runs in any image: it finds its dynamic linker and libraries here.
links= preprocesses={preprocesses}
for argument; do
    case $argument in
        -c | -S | -E | -M | -MM | -r | -fsyntax-only | --version | -dump*) preprocesses=yes ;;
        - | [!-]*) links=yes ;;
    esac
done
if [ "$links" ] && [ ! "$preprocesses" ]; then
    exec {program} --sysroot={tree} -B{tree}/usr/bin/ "$@" -Wl,--dynamic-linker={loader} -Wl,--disable-new-dtags -Wl,-rpath,{libraries}
fi
exec {program} --sysroot={tree} -B{tree}/usr/bin/ "$@"
"""

# A virtual environment links to the interpreter by the name it was called by. This one is in the store, and stays there while it is named.
INTERPRETER = re.compile(r"^(?:python|python3|python3\.[0-9]+)$")

INTERPRETER_LAUNCHER = """#!{shell}
exec {program} "$@"
"""


def show(tree, name, file, path):
    """Puts a program of the tree to `path`: a link, or a script that starts it."""
    program = tree.place(file)
    values = {"shell": tree.place("/usr/bin/sh") if tree.has("/usr/bin/sh") else "/bin/sh", "program": program, "name": name, "tree": tree.path}
    if tree.loader and COMPILER.match(name):
        preprocesses = "yes" if "cpp" in COMPILER.match(name)["kind"] else ""
        _write(path, COMPILER_LAUNCHER.format(**values, loader=tree.loader, libraries=tree.libraries, preprocesses=preprocesses))
    elif INTERPRETER.match(name):
        _write(path, INTERPRETER_LAUNCHER.format(**values))
    else:
        os.symlink(program, path)


def _write(path, text):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o755)
