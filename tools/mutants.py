#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Asks the tests whether they would notice: what 'make mutants' runs.

mutants.py draws MUTANTS (60) small changes of src/ by the rules of mutation_rules.py,
makes each in a copy of the tree below build/mutants, builds what changed and runs the
tests that could notice (of the same room, and those that include the file's header),
then the rest. A mutant is killed when a test fails, and lives when all pass. Those
that do not compile, and those of tools/mutants-equivalent.txt, are replaced by
others. MUTANTS_SEED gives the same draw again, MUTANTS_IN=src/http,src/watch/feed.cpp
draws from these alone. What lived is listed at the end, and in build/mutants/lived.

Tests run in a process namespace of their own: a mutant may signal whom it will.
"""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
from mutation_rules import mutants_of  # noqa: E402

TOP = Path(__file__).resolve().parent.parent
HOME = TOP / "build/mutants"
TREE = HOME / "tree"
EQUIVALENT = TOP / "tools/mutants-equivalent.txt"

# Rooms that have no tests of their own, or whose tests stand elsewhere as well.
ALSO_IN = {
    "src/http": ["tests/wire"],
    "src/doors": ["tests/wire"],
    "src/watch": ["tests/wire"],
    "src/daemon": ["tests/program/test_daemon_"],
    "src/client": ["tests/program/test_client_"],
    "src/backends": ["tests/backends", "tests/fault"],
}


def one_line(text):
    return " ".join(text.split())


def fail(words):
    sys.exit(f"mutants: {words}")


# --- the list of the equivalent ones -------------------------------------------


def read_equivalents(text):
    """{(file, old, new)}: entries are a file, "- old", "+ new" and a reason, with an
    empty line between two entries. Says what is wrong with an entry by ValueError."""
    found = set()
    body = "\n".join(line for line in text.split("\n") if not line.startswith("#"))
    for entry in filter(str.strip, re.split(r"\n\s*\n", body)):
        lines = entry.strip().split("\n")
        old = one_line(" ".join(line[2:] for line in lines if line.startswith("- ")))
        new = one_line(" ".join(line[2:] for line in lines if line.startswith("+ ")))
        reason = [line for line in lines[1:] if line[:2] not in ("- ", "+ ")]
        if not lines[0].startswith("src/") or not old or not new:
            raise ValueError(f"no file, '- old' and '+ new': {lines[0]}")
        if not reason:
            raise ValueError(f"no reason: {lines[0]}: {old}")
        found.add((lines[0], old, new))
    return found


def key_of(mutant, text):
    old, new = mutant.lines(text)
    return mutant.file, one_line(old), one_line(new)


# --- the copy of the tree ------------------------------------------------------


def sources(top):
    return {
        str(path.relative_to(top)): path.read_text()
        for path in sorted([*top.glob("src/**/*.cpp"), *top.glob("src/**/*.h")])
    }


def copy_tree():
    """What is committed or edited, what ./configure made, and what is built already."""
    HOME.mkdir(parents=True, exist_ok=True)
    subprocess.run(["rm", "-rf", str(TREE)], check=True)
    TREE.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP, capture_output=True, text=True, check=True,
    ).stdout.split("\0")
    extra = ["configure", "config.status", "config.mk", os.environ["BUILT"]]
    names = [name for name in [*listed, *extra] if name and (TOP / name).exists()]
    pack = subprocess.Popen(["tar", "-c", "--null", "-T", "-"], cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    unpack = subprocess.Popen(["tar", "-x"], cwd=TREE, stdin=pack.stdout)
    pack.stdin.write("\0".join(names).encode())
    pack.stdin.close()
    if unpack.wait() != 0 or pack.wait() != 0:
        fail("the tree cannot be copied")


# --- building and testing ------------------------------------------------------


def namespace():
    """The command in front of tests, so that all they started ends with them."""
    command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        command[1:1] = ["--user", "--map-current-user"]
    if subprocess.run([*command, "true"], capture_output=True).returncode != 0:
        fail("the kernel or this container forbids process namespaces; without them a mutant could signal anything")
    return command


def make(*arguments):
    kept = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = ["make", "DEPS=", f"CXX={os.environ['CXX']}", *arguments]
    return command, {"cwd": TREE, "env": kept, "stdin": subprocess.DEVNULL}


def builds():
    command, how = make("all")
    with open(HOME / "build.log", "w") as log:
        return subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, **how).returncode == 0


def first_failure(inside, tests):
    """Runs these tests until one fails; its name, or None when all passed."""
    command, how = make("check", "TESTS=" + " ".join(tests))
    with open(HOME / "check.log", "w") as log, subprocess.Popen(
        [*inside, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        start_new_session=True, **how,
    ) as run:
        for line in run.stdout:
            log.write(line)
            match = re.match(r"--- FAILED (\S+)", line)
            if match:
                os.killpg(run.pid, signal.SIGKILL)
                return match.group(1).rstrip(":")
        return None if run.wait() == 0 else "the build of the tests"


def test_names():
    return sorted(str(path.relative_to(TREE)) for path in TREE.glob("tests/**/test_*") if path.suffix in (".cpp", ".sh"))


def could_notice(file, tests, includes):
    """The tests of the file's room and its parent rooms, and those that include its
    header; not all others."""
    room = os.path.dirname(file)
    folders = [room.replace("src/", "tests/", 1)]
    while "/" in room:
        folders += ALSO_IN.get(room, [])
        room = os.path.dirname(room)
    header = re.sub(r"\.cpp$", ".h", file)
    return [
        test for test in tests
        if any(test.startswith(folder if folder.endswith("_") else folder + "/") for folder in folders)
        or header in includes.get(test, ())
    ]


def read_includes(tests):
    """{test: headers of src} as the compiler has listed them."""
    found = {}
    for test in tests:
        listed = TREE / os.environ["BUILT"] / (os.path.splitext(test)[0] + ".d")
        if listed.exists():
            found[test] = set(re.findall(r"\bsrc/[\w/]+\.h\b", listed.read_text()))
    return found


class Trial:
    def __init__(self, texts):
        self.texts = texts
        self.inside = namespace()
        self.tests = test_names()
        self.includes = read_includes(self.tests)

    def judge(self, mutant):
        """'' when it lives, the killer's name, or None when it does not compile."""
        text = self.texts[mutant.file]
        place = TREE / mutant.file
        place.write_text(mutant.apply(text))
        try:
            if not builds():
                return None
            near = could_notice(mutant.file, self.tests, self.includes)
            far = [test for test in self.tests if test not in near]
            for some in filter(None, (near, far)):
                killer = first_failure(self.inside, [os.path.splitext(test)[0].replace("tests/", "", 1) for test in some])
                if killer:
                    return killer
            return ""
        finally:
            place.write_text(text)


# --- the run -------------------------------------------------------------------


def shown(mutant, text):
    old, new = mutant.lines(text)
    marked = [f"    - {line}" for line in old.split("\n")] + [f"    + {line}" for line in new.split("\n")]
    return "\n".join([f"{mutant.file}:{mutant.line}: {mutant.rule}", *marked])


def draw(texts, seed, folders):
    drawn = [
        mutant for file, text in texts.items()
        if not folders or any(file == folder or file.startswith(folder.rstrip("/") + "/") for folder in folders)
        for mutant in mutants_of(file, text)
    ]
    random.Random(seed).shuffle(drawn)
    return drawn


def report(lived, counts, texts):
    folders = {}
    for mutant in lived:
        folder = os.path.dirname(mutant.file)
        folders[folder] = folders.get(folder, 0) + 1
    listing = "\n".join(shown(mutant, texts[mutant.file]) for mutant in lived)
    (HOME / "lived").write_text(listing + "\n" if listing else "")
    if lived:
        print(f"\nlived:\n{listing}\n")
        print("lived, by folder: " + ", ".join(f"{folder} {count}" for folder, count in sorted(folders.items())))
    print(
        f"{counts['killed'] + len(lived)} mutants: {counts['killed']} killed, {len(lived)} lived; drawn beside them: "
        f"{counts['uncompiled']} that do not compile, {counts['equivalent']} that are equivalent"
    )


def main():
    wanted = int(os.environ.get("MUTANTS") or 60)
    seed = int(os.environ.get("MUTANTS_SEED") or random.SystemRandom().randrange(10**6))
    folders = re.split(r"[,\s]+", os.environ["MUTANTS_IN"]) if os.environ.get("MUTANTS_IN") else []
    equivalents = read_equivalents(EQUIVALENT.read_text())
    copy_tree()
    texts = sources(TREE)
    drawn = draw(texts, seed, folders)
    if not drawn:
        fail(f"no mutant is possible in {' '.join(folders)}")
    print(f"{wanted} mutants of {len(drawn)} possible, MUTANTS_SEED={seed}", flush=True)
    if not builds():
        fail(f"the tree does not build: {HOME}/build.log")
    trial = Trial(texts)
    broken = first_failure(trial.inside, ["%"])
    if broken:
        fail(f"{broken} fails without any mutant: {HOME}/check.log")
    trial.includes = read_includes(trial.tests)
    counts, lived = {"killed": 0, "uncompiled": 0, "equivalent": 0}, []
    for mutant in drawn:
        if counts["killed"] + len(lived) == wanted:
            break
        if key_of(mutant, texts[mutant.file]) in equivalents:
            counts["equivalent"] += 1
            continue
        start = time.monotonic()
        killer = trial.judge(mutant)
        if killer is None:
            counts["uncompiled"] += 1
            continue
        took = f"{time.monotonic() - start:.0f} s"
        if killer:
            counts["killed"] += 1
            print(f"killed by {killer} ({took}): {mutant.file}:{mutant.line}: {mutant.rule}", flush=True)
        else:
            lived.append(mutant)
            print(f"LIVED ({took}): {shown(mutant, texts[mutant.file])}", flush=True)
    report(lived, counts, texts)


if __name__ == "__main__":
    main()
