# SPDX-License-Identifier: MIT
"""The rules by which tools/mutants.py changes C++: a text goes in, all its mutants
come out. A rule looks only at code: comments, literals and preprocessor lines are
blanked first, byte for byte, so that positions stay those of the text. Nothing here
reads files or builds; a mutant need not compile."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    file: str
    line: int  # the first that changes, from 1
    rule: str
    start: int  # what of the text is replaced, and by what
    end: int
    new: str

    def apply(self, text):
        return text[: self.start] + self.new + text[self.end :]

    def lines(self, text):
        """The lines it changes, before and after."""
        first = text.rfind("\n", 0, self.start) + 1
        last = text.find("\n", self.end)
        last = len(text) if last < 0 else last
        return text[first:last], text[first : self.start] + self.new + text[self.end : last]


BLANKED = re.compile(
    r"""//[^\n]* | /\*.*?\*/ | R"\((?:.*?)\)" | "(?:\\.|[^"\\\n])*"
    | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'
    | ^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
# What is no behaviour of the program, or says itself when it is wrong.
SPARED = re.compile(r"^\s*(static_assert|assert|using|namespace|template|public|private|friend)\b")


def blank(text):
    """Literals keep their quotes, for an empty argument is none."""

    def spaces(match):
        found = match.group()
        keep = found[0] if found[0] in "\"'" else " "
        inner = re.sub(r"[^\n]", " ", found[1:-1])
        return keep + inner + (keep if len(found) > 1 else "")

    return BLANKED.sub(spaces, text)


def closing(code, opening):
    """The position of the bracket that closes the one at opening; -1 if there is none."""
    depth = 0
    for at in range(opening, len(code)):
        if code[at] in "([{":
            depth += 1
        elif code[at] in ")]}":
            depth -= 1
            if depth == 0:
                return at
    return -1


def arguments(code, opening, end):
    """The (start, end) of each argument between two brackets, blanks left out."""
    parts, depth, start = [], 0, opening + 1
    for at in range(opening + 1, end + 1):
        if code[at] in "([{":
            depth += 1
        if (code[at] == "," and depth == 0) or at == end:
            parts.append((start, at))
            start = at + 1
        elif code[at] in ")]}":
            depth -= 1
    stripped = []
    for first, last in parts:
        word = code[first:last]
        first += len(word) - len(word.lstrip())
        stripped.append((first, first + len(word.strip())))
    return stripped


DECLARES = re.compile(r"^\s*(const\b|auto\b|constexpr\b|[\w:<>,]+[*&]*\s+[*&]?\w+\s*(=[^=]|\{))")


def conditions(code):
    """(keyword, start, end) of what stands between the brackets of if and while."""
    for match in re.finditer(r"\b(if|while) \(", code):
        opening = match.end() - 1
        end = closing(code, opening)
        inside = code[opening + 1 : end]
        if end > 0 and ";" not in inside and not DECLARES.match(inside):
            yield match.group(1), opening + 1, end


def negated(text, code):
    for _, start, end in conditions(code):
        yield start, end, f"!({text[start:end]})"
    for match in re.finditer(r" (==|!=|&&|\|\|) ", code):
        other = {"==": "!=", "!=": "==", "&&": "||", "||": "&&"}[match.group(1)]
        yield match.start(1), match.end(1), other


def moved(text, code):
    for match in re.finditer(r" (<=|>=|<|>) ", code):
        other = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}[match.group(1)]
        yield match.start(1), match.end(1), other
    for match in re.finditer(r" [+-] 1\b(?![.'])", code):
        yield match.start(), match.end(), ""


def taken(text, code):
    for keyword, start, end in conditions(code):
        if keyword == "if":
            yield start, end, f"({text[start:end]}) || true"
            yield start, end, f"({text[start:end]}) && false"


# No blank before the bracket: that would be a declaration.
CALL = re.compile(r"^[ \t]*((?:\(void\)!?)?[A-Za-z_][\w.:>\[\]-]*)(\(.*\));$", re.MULTILINE)


def removed(text, code):
    for match in CALL.finditer(code):
        if closing(code, match.start(2)) > 0 and not re.match(r"(return|sizeof|defined)\b", match.group(1)):
            yield match.start(1), match.end(2), "(void)0"


PARAMETER = re.compile(r"^(const\b.*|[\w:<>,]+[*&]*\s+[*&]?\w+|[\w:<>]+[*&]+)$", re.DOTALL)


def swapped(text, code):
    for match in re.finditer(r"(\w+)\(", code):
        end = closing(code, match.end() - 1)
        if end < 0 or match.group(1) in ("if", "while", "for", "switch", "sizeof", "defined", "decltype"):
            continue
        parts = arguments(code, match.end() - 1, end)
        if any(PARAMETER.match(code[a:b]) for a, b in parts):
            continue
        for (a, b), (c, d) in zip(parts, parts[1:]):
            if text[a:b] != text[c:d]:
                yield a, d, text[c:d] + text[b:c] + text[a:b]


NUMBER = re.compile(r"(?<![\w.'])(\d[\d']*)(?=(?:ms|us|ns|s|min|h|u|U|z|l|L|ull)?\b)(?![.'\w]*[.'x])")


def changed(text, code):
    for match in NUMBER.finditer(code):
        yield match.start(1), match.end(1), str(int(match.group(1).replace("'", "")) + 1)
    for match in re.finditer(r"\b(true|false)\b", code):
        yield match.start(), match.end(), "false" if match.group() == "true" else "true"


RULES = {
    "condition negated": negated,
    "moved by one": moved,
    "branch decided": taken,
    "call removed": removed,
    "arguments swapped": swapped,
    "constant changed": changed,
}


def mutants_of(file, text):
    """All mutants of one file, in the order of rules and then of places."""
    code = blank(text)
    found, starts = [], [0]
    for match in re.finditer("\n", code):
        starts.append(match.end())
    spared = [bool(SPARED.match(line)) for line in code.split("\n")]
    for rule, places in RULES.items():
        for start, end, new in places(text, code):
            line = code.count("\n", 0, start) + 1
            if not spared[line - 1]:
                found.append(Mutant(file, line, rule, start, end, new))
    return found
