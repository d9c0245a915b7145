# SPDX-License-Identifier: MIT
"""The self-test of tools/mutants.py, run by check-mutants.sh. Every rule is applied to
one small file; all its mutants must be those listed, no more and no fewer."""

import sys

sys.dont_write_bytecode = True
import mutants  # noqa: E402
from mutation_rules import blank, mutants_of  # noqa: E402

SAMPLE = """#include <a.h>  // if (x < 1)
static_assert(sizeof(int) > 2);
bool f(int a, int b) {
  if (a < b) return g(a, "x, y");
  if (const int* c = h()) {
    line.push(*c);
  }
  while (a != 10) --a;
  const char* s = "if (a == 1)";
  return true || a + 1 > 1'000;
}
"""

WANTED = """
4 condition negated:   if (!(a < b)) return g(a, "x, y");
8 condition negated:   while (!(a != 10)) --a;
8 condition negated:   while (a == 10) --a;
10 condition negated:   return true && a + 1 > 1'000;
4 moved by one:   if (a <= b) return g(a, "x, y");
10 moved by one:   return true || a + 1 >= 1'000;
10 moved by one:   return true || a > 1'000;
4 branch decided:   if ((a < b) || true) return g(a, "x, y");
4 branch decided:   if ((a < b) && false) return g(a, "x, y");
6 call removed:     (void)0;
4 arguments swapped:   if (a < b) return g("x, y", a);
8 constant changed:   while (a != 11) --a;
10 constant changed:   return true || a + 2 > 1'000;
10 constant changed:   return true || a + 1 > 1001;
10 constant changed:   return false || a + 1 > 1'000;
"""

LIST = """# A comment.
src/a.cpp
- if (a <   b)
+ if (a <= b)
They are never equal.

src/b.cpp
- g(a);
+ (void)0;
It does nothing,
whatever a is.
"""

BAD_LISTS = {
    "no reason": "src/a.cpp\n- a\n+ b\n",
    "no file": "- a\n+ b\nreason\n",
    "no new line": "src/a.cpp\n- a\nreason\n",
}

failed = 0


def expect(what, wanted, got):
    global failed
    if wanted != got:
        failed += 1
        print(f"{what}: wanted\n{wanted}\ngot\n{got}")


def says_no(text):
    try:
        mutants.read_equivalents(text)
    except ValueError:
        return True
    return False


made = mutants_of("src/f.cpp", SAMPLE)
got = "".join(f"{one.line} {one.rule}: {one.lines(SAMPLE)[1]}\n" for one in made)
expect("the mutants of the sample", WANTED.lstrip("\n"), got)
expect("blanking keeps every place", len(SAMPLE), len(blank(SAMPLE)))
expect("only the change differs", [1] * len(made), [
    sum(old != new for old, new in zip(SAMPLE.split("\n"), one.apply(SAMPLE).split("\n"))) for one in made
])

expect("the list of equivalents", {
    ("src/a.cpp", "if (a < b)", "if (a <= b)"),
    ("src/b.cpp", "g(a);", "(void)0;"),
}, mutants.read_equivalents(LIST))
for what, text in BAD_LISTS.items():
    expect(f"a list with {what} is refused", True, says_no(text))

tests = ["tests/engine/test_a.cpp", "tests/wire/test_b.cpp", "tests/backends/test_c.cpp", "tests/backends/x/test_d.cpp"]
expect("who could notice a change of the engine", tests[:2], mutants.could_notice(
    "src/engine/a.cpp", tests, {tests[1]: {"src/engine/a.h"}, tests[2]: {"src/engine/b.h"}}))
expect("who could notice a change of a backend", tests[2:], mutants.could_notice("src/backends/x/a.cpp", tests, {}))
expect("who could notice a change of http", tests[1:2], mutants.could_notice("src/http/a.cpp", tests, {}))

texts = mutants.sources(mutants.TOP)
expect("a seed draws the same again", mutants.draw(texts, 7, ["src/base"]), mutants.draw(texts, 7, ["src/base"]))
listed = mutants.read_equivalents(mutants.EQUIVALENT.read_text())
files = {file for file, _, _ in listed}
possible = {mutants.key_of(one, texts[file]) for file in files & texts.keys() for one in mutants_of(file, texts[file])}
expect("entries of mutants-equivalent.txt that no rule makes", set(), listed - possible)

sys.exit(1 if failed else 0)
