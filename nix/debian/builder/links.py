"""Links and scripts that lead from one place of a tree to another."""

import os

import unpack


def make_relative(tree):
    """Turns links to absolute paths of Debian into links within the tree, where it has the target."""
    for folder, names, files in os.walk(tree.path):
        for name in names + files:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                continue
            target = os.readlink(path)
            if target.startswith("/") and not target.startswith("/nix/") and tree.has(target):
                os.unlink(path)
                os.symlink(os.path.relpath(tree.place(unpack.merged(target)), os.path.realpath(folder)), path)


def lead_scripts_to_interpreters(tree):
    """Rewrites the first line of scripts whose interpreter is in the tree."""
    if not tree.has("/usr/bin/sh") and tree.has("/usr/bin/dash"):
        os.symlink("dash", tree.place("/usr/bin/sh"))
    for folder, _, files in os.walk(tree.path):
        for name in files:
            path = os.path.join(folder, name)
            if not os.path.islink(path) and os.access(path, os.X_OK):
                _lead(tree, path)


def _lead(tree, path):
    with open(path, "rb") as file:
        if file.read(2) != b"#!":
            return
        first = file.readline(4096)
        rest = file.read()
    line = interpreter_line(tree, os.fsdecode(first).strip())
    if line is None:
        return
    mode = os.stat(path).st_mode
    os.chmod(path, mode | 0o200)
    with open(path, "wb") as file:
        file.write(b"#!" + os.fsencode(line) + b"\n" + rest)
    os.chmod(path, mode)


def interpreter_line(tree, line):
    """What follows `#!` instead of `line`; None when it should stay."""
    words = line.split()
    if not words:
        return None
    program, arguments = words[0], words[1:]
    if os.path.basename(program) == "env":
        while arguments and arguments[0] in ("-S", "--split-string"):
            arguments = arguments[1:]
        if not arguments or arguments[0].startswith("-") or "=" in arguments[0]:
            return None
        program, arguments = f"/usr/bin/{arguments[0]}", arguments[1:]
    program = unpack.merged(program)
    if not program.startswith("/usr/") or not tree.has(program):
        return None
    return " ".join([tree.place(program)] + arguments)
