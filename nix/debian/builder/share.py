"""Unpacks one Debian package that many need, so that their trees link to its files instead of having each a copy: most of what a small program's tree
would be is the C library.

Run by Nix as `build.py` is. Only packages whose files no program looks for by where they really lie (`DebianPolicy.isShared`).
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import unpack


def main():
    with open(os.environ["recipePath"]) as file:
        recipe = json.load(file)
    os.umask(0o022)
    unpack.unpack_one(unpack.Tree(os.environ["out"], recipe["architecture"]), recipe["path"])


main()
