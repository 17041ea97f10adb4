"""Which tests there are: the cases of the Boost.Test binaries that ctest runs, and the names in tests/e2e/*.js."""

import collections
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

LABELS = ("unit", "sim", "integration")

# Where it is, like "unit_core/session" or "node.test.js", and its name.
Test = collections.namedtuple("Test", "place name")

CASE = re.compile(r"( *)([^\s*:<]+)(?:<.*>)?(\*?) ?(?:: .*)?")  # the star says that it runs
SAMPLE = re.compile(r"_[0-9_]+")

JS_TOKEN = re.compile(r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`|//[^\n]*|/\*.*?\*/", re.DOTALL)
JS_STRING = r"(?P<quote>['\"`])(?P<name>(?:\\.|(?!(?P=quote))[^\\])*)(?P=quote)"
# test('…' unless it is skipped for good, and the functions of an object: async '…'( or '…': (
JS_SKIP = r"\s*,\s*\{[^}]*\b(?:skip|todo): *(?:true|['\"])"
JS_TEST = re.compile(rf"^[ \t]*(?:for \(.*\) )?(?:await \w+\.)?test\(\s*{JS_STRING}(?!{JS_SKIP})", re.MULTILINE)
JS_KEY = re.compile(rf"^[ \t]+(?:async\s+)?{JS_STRING}\s*(?:\(|:\s*(?:async\b|function\b|\())", re.MULTILINE)


def ctest_list(build):
    """Asks from another folder: in its own, ctest would overwrite the log of the run that this may be a part of."""
    if not os.path.exists(os.path.join(build, "CTestTestfile.cmake")):
        sys.exit(f"ctest knows no tests in {build}.")
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "CTestTestfile.cmake"), "w", encoding="utf-8") as file:
            file.write(f'subdirs("{os.path.abspath(build)}")\n')
        command = ["ctest", "--test-dir", folder, "--show-only=json-v1"]
        result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"ctest can't list the tests of {build}. {result.stderr.strip()}")
    return json.loads(result.stdout)["tests"]


def registered(build):
    """What ctest would run: labels and command of each test."""
    for test in ctest_list(build):
        properties = {entry["name"]: entry["value"] for entry in test["properties"]}
        if properties.get("DISABLED"):
            continue
        if "command" not in test:
            sys.exit(f"{test['name']} is not built in {build}.")
        yield properties.get("LABELS", []), test["command"]


def boost_cases(listing):
    """suite/case of each case that runs; the samples of a case with data are that one case."""
    lines = [match for match in map(CASE.fullmatch, listing.splitlines()) if match]
    depths = [len(line[1]) // 4 for line in lines] + [0]
    path = []
    for line, depth, next_depth in zip(lines, depths, depths[1:]):
        path[depth:] = [line[2]]
        if next_depth <= depth and line[3]:
            yield "/".join(path[:-1] if SAMPLE.fullmatch(line[2]) else path)


def binary_tests(binary):
    result = subprocess.run([binary, "--list_content"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode:
        sys.exit(f"{binary} doesn't list its tests: status {result.returncode}. {result.stderr[:200]}")
    for case in boost_cases(result.stderr):
        suite, _, name = case.rpartition("/")
        yield Test("/".join(filter(None, [os.path.basename(binary), suite])), name)


def js_names(text):
    code = JS_TOKEN.sub(lambda match: " " if match[0].startswith("/") else match[0], text)
    return [match["name"] for pattern in (JS_TEST, JS_KEY) for match in pattern.finditer(code)]


def js_tests(root, commands):
    scripts = {os.path.basename(argument) for command in commands for argument in command}
    has_node = any(script.endswith(".test.js") for script in scripts)
    for path in sorted(glob.glob(os.path.join(root, "tests", "e2e", "*.js"))):
        file = os.path.basename(path)
        if has_node and file.endswith(".test.js") and file not in scripts:
            sys.exit(f"tests/e2e/{file} is a test that ctest doesn't run.")
        with open(path, encoding="utf-8") as source:
            yield from (Test(file, name) for name in js_names(source.read()))


def tests(build, root):
    """All of them, in an order that is the same everywhere."""
    found = []
    entries = list(registered(build))
    for label in LABELS:
        # A run of some cases only doesn't prove the others.
        whole = {command[0] for labels, command in entries
                 if label in labels and not any(argument.startswith(("-t", "--run_test")) for argument in command)}
        found += sorted({test for binary in whole for test in binary_tests(binary)})
    if not found:
        sys.exit(f"ctest runs no test of the labels {', '.join(LABELS)} in {build}.")
    return found + sorted(set(js_tests(root, [command for _, command in entries])))
