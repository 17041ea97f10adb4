"""C++ sources as the checks of style need them: found, and with comments and literals blanked out."""

import os
import re

FOLDERS = ("xml", "bosh", "websocket", "xmpp", "src", "boshctl", "tests")

_TOKENS = re.compile(
    r"""
    (?P<comment> //(?:\\\n|[^\n])* | /\*.*?\*/ )
  | (?P<literal> (?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)"
               | (?:u8|[uUL])?"(?:\\.|[^"\\\n])*"
               | (?:u8|[uUL])?'(?:\\.|[^'\\\n])+' )
  | [0-9](?:'?[\w.])*   # so that the quotes in 1'000 open nothing
  | [A-Za-z_]\w*
    """,
    re.DOTALL | re.VERBOSE,
)


def files(root, folders=FOLDERS):
    """The paths of all C++ files below some folders, from the root on."""
    found = []
    for folder in folders:
        for path, inner, names in os.walk(os.path.join(root, folder)):
            inner[:] = sorted(name for name in inner if name != "node_modules")
            found += [os.path.join(path, name) for name in sorted(names) if name.endswith((".cpp", ".hpp", ".h"))]
    return [os.path.relpath(path, root) for path in found]


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def blanked(text, keep_literals=False):
    """The same text with blanks for comments and literals; every line keeps its number."""

    def blank(match):
        if not match["comment"] and (not match["literal"] or keep_literals):
            return match[0]
        return re.sub(r"[^\n]", " ", match[0])

    return _TOKENS.sub(blank, text)


def line_number(text, position):
    return text.count("\n", 0, position) + 1
