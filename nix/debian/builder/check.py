"""Whether what was made can start at all."""

import os
import subprocess
import sys


def check(tree, shown, programs):
    """Ends the build when a shown program misses a library."""
    patched = set(programs)
    missing = {}
    for name, file in shown.programs.items():
        path = os.path.realpath(tree.place(file))
        if path not in patched:
            continue
        told = subprocess.run([tree.loader, "--list", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        for line in told.stdout.decode(errors="replace").splitlines():
            if "not found" in line:
                missing.setdefault(line.strip(), name)
    if missing:
        sys.exit("refused: " + "; ".join(f"{name} misses {line}" for line, name in sorted(missing.items())))
