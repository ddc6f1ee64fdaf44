"""What packages register with update-alternatives when they are configured: /usr/bin/vim, say, for vim.basic."""

import os
import re
import subprocess

import unpack

# Programs that configuring a package calls to tell the system of it. Here there is no system to tell.
SILENCED = ["dpkg-maintscript-helper", "dpkg-trigger", "dpkg-divert", "update-rc.d", "invoke-rc.d", "deb-systemd-helper", "deb-systemd-invoke",
            "ldconfig", "py3compile", "py3clean", "systemctl", "adduser", "addgroup", "useradd", "groupadd", "chown", "mountpoint",
            "update-icon-caches", "update-mime-database", "update-desktop-database"]


def install(tree, packages):
    """Makes the links that update-alternatives would make, each to the registered file with the highest priority."""
    best = {}
    for registration in _registrations(tree, packages):
        for entry in _parse(registration):
            if tree.has(entry["path"]) and (entry["name"] not in best or entry["priority"] > best[entry["name"]]["priority"]):
                best[entry["name"]] = entry
    for entry in best.values():
        if tree.has(entry["link"]) and not os.path.islink(tree.place(entry["link"])):
            continue
        _link(tree, f"/etc/alternatives/{entry['name']}", entry["path"])
        _link(tree, entry["link"], f"/etc/alternatives/{entry['name']}")


def _link(tree, link, target):
    place = tree.place(link)
    os.makedirs(os.path.dirname(place), exist_ok=True)
    if os.path.islink(place):
        os.unlink(place)
    if not os.path.lexists(place):
        os.symlink(target, place)


def _registrations(tree, packages):
    """The arguments of every call, in the order of the packages. What they are is often computed in a loop, so the scripts are run, with programs
    around them that only note what they are told; Nix's sandbox and its unprivileged user hold them in."""
    tools = os.path.abspath("tools")
    os.mkdir(tools)
    notes = os.path.abspath("alternatives")
    open(notes, "w").close()
    _program(f"{tools}/update-alternatives", f'for argument; do printf "%s\\n" "$argument"; done >>{notes}\necho >>{notes}\n')
    for name in SILENCED:
        _program(f"{tools}/{name}", "exit 0\n")
    for number, package in enumerate(packages):
        script = unpack.control_file(package["path"], "postinst")
        if script and "update-alternatives" in script:
            _configure(script, f"postinst-{number}", tools, tree.architecture)
    with open(notes) as file:
        return [call.split("\n") for call in file.read().split("\n\n") if call]


def _configure(script, path, tools, architecture):
    # Half of what they do fails for want of a system, and must not keep them from what they register.
    first, _, rest = script.partition("\n")
    interpreter = first.removeprefix("#!").split()[0] if first.startswith("#!") else "/bin/sh"
    _program(os.path.abspath(path), re.sub(r"^\s*set -\w*e\w*\s*$", "", rest, flags=re.M), f"#!{interpreter}\n")
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "DEBIAN_HAS_FRONTEND": "1", "DPKG_MAINTSCRIPT_NAME": "postinst",
                   "DPKG_MAINTSCRIPT_ARCH": architecture, "LC_ALL": "C"}
    try:
        subprocess.run([os.path.abspath(path), "configure", ""], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        pass


def _program(path, text, first_line="#!/bin/sh\n"):
    with open(path, "w") as file:
        file.write(first_line + text)
    os.chmod(path, 0o755)


def _parse(call):
    """The master link of an `--install LINK NAME PATH PRIORITY [--slave LINK NAME PATH]...`, and its slaves."""
    entries, priority, index = [], 0, 0
    while index < len(call):
        word, rest = call[index], call[index + 1:]
        if word == "--install" and len(rest) >= 4 and rest[3].lstrip("-").isdigit():
            priority = int(rest[3])
            entries.append(_entry(*rest[:3], priority))
            index += 5
        elif word == "--slave" and len(rest) >= 3:
            entries.append(_entry(*rest[:3], priority))
            index += 4
        else:
            index += 1
    return entries


def _entry(link, name, path, priority):
    return {"link": unpack.merged(link), "name": name.replace("/", "_"), "path": unpack.merged(path), "priority": priority}
