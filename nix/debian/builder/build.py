"""Makes two store paths of a set of Debian packages: `tree`, which holds their files laid out as Debian lays them out, able to run where they
lie; and `out`, which shows the programs and manuals that the wanted package is for.

Run by Nix in its sandbox. The recipe (`DebianRecipe` in Sources/NixPackages/Debian) names the packages, dependencies first.
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import alternatives
import check
import effects
import elf
import exposure
import links
import unpack


def main():
    with open(os.environ["recipePath"]) as file:
        recipe = json.load(file)
    os.umask(0o022)
    tree = unpack.Tree(os.environ["tree"], recipe["architecture"])
    files = unpack.unpack(tree, recipe["packages"])
    alternatives.install(tree, recipe["packages"])
    effects.before_patching(tree)
    links.make_relative(tree)
    programs = elf.patch(tree, os.path.join(os.path.dirname(os.path.abspath(__file__)), "redirect.so"))
    links.lead_scripts_to_interpreters(tree)
    effects.after_patching(tree)
    shown = exposure.choose(tree, recipe, files)
    if not shown.programs:
        sys.exit("refused: it has no programs to show in a workspace")
    exposure.show(tree, shown, os.environ["out"])
    check.check(tree, shown, programs)


main()
