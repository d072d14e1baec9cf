#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Break lib/ in one place at a time, and see whether the tests notice.

usage: mutate.py SOURCE WORK [COUNT [SEED [FILE...]]]

A mutant negates a condition, drops a statement, changes an operator, a
constant or a memory order. It is compiled over the objects of the others, and
linked into the suites: that of its own file first, then the rest. One that no
suite kills is a survivor, unless verify/survivors says why it may be one:

    file.c | the line as it reads | what was done to it | why nothing changes

WORK is a build of SOURCE with static libraries, where all check programs are
made. COUNT mutants are drawn with SEED (0: all of them). A mutant that does
not compile or link, or compiles to the same object, does not count. Ends with
1 when there is a survivor that is not explained.
"""
import concurrent.futures
import os
import random
import re
import subprocess
import sys
import time

JOBS = 2
SECONDS = 20  # for a suite, or
TIMES = 10    # as long as without a mutant, before it counts as hung: killed

# (what, pattern, replacement); each match of a pattern in a line is a mutant.
OPERATORS = [
    ("negated", r"\bif \((.*)\)( \{)?$", r"if (!(\1))\2"),
    ("negated", r"\bwhile \((.*)\)( \{)?$", r"while (!(\1))\2"),
    ("always", r"\bif \((.*)\)( \{)?$", r"if (1)\2"),
    ("== to !=", r"==", "!="),
    ("!= to ==", r"!=", "=="),
    ("<= to <", r"<=", "<"),
    (">= to >", r">=", ">"),
    ("< to <=", r" < ", " <= "),
    ("> to >=", r" > ", " >= "),
    ("&& to ||", r"&&", "||"),
    ("|| to &&", r"\|\|", "&&"),
    ("+ to -", r" \+ ", " - "),
    ("- to +", r" - ", " + "),
    ("* to +", r" \* (?=\w)", " + "),
    ("+= to -=", r" \+= ", " -= "),
    ("-= to +=", r" -= ", " += "),
    ("++ to --", r"\+\+", "--"),
    ("1 to 2", r"\b1\b", "2"),
    ("1 to 0", r"\b1\b", "0"),
    ("0 to 1", r"\b0\b", "1"),
    ("true to false", r"\btrue\b", "false"),
    ("false to true", r"\bfalse\b", "true"),
    ("order relaxed", r"_(acquire|release|seq_cst|acq_rel)\(", "_relaxed("),
    ("dropped", r"^(\t+)(?!return|break|continue|goto|struct |size_t |"
                r"unsigned |bool |int |char |void |static |const |uint|acre_|"
                r"pthread_t )[\w>.*&()\[\]-]+.*;$", r"\1;"),
    ("dropped", r"^(\t+)acre_\w+\(.*\);$", r"\1;"),
]


class Mutant:
    def __init__(self, file, number, text, what, new):
        self.file, self.number, self.text = file, number, text
        self.what, self.new = what, new

    def __str__(self):
        return (f"{self.file}:{self.number}: {self.text.strip()}: "
                f"{self.what}")

    def key(self):
        return self.file, self.text.strip(), self.what


def code_lines(path):
    """The lines of a file that are code: no comments, no directives."""
    inside = False
    for number, line in enumerate(open(path).read().split("\n"), 1):
        start = line.strip()
        if inside or start.startswith("/*"):
            inside = "*/" not in line
        elif line.startswith("\t") and not start.startswith("\""):
            yield number, line


def mutants_of(lib, file):
    for number, line in code_lines(os.path.join(lib, file)):
        for what, pattern, replacement in OPERATORS:
            for match in re.finditer(pattern, line):
                new = (line[:match.start()] + match.expand(replacement) +
                       line[match.end():])
                if new != line:
                    yield Mutant(file, number, line, what, new)


def explained(path, lib):
    """What may survive; each must still be a line of its file."""
    found = set()
    for line in open(path):
        if line.startswith("#") or not line.strip():
            continue
        fields = [field.strip() for field in line.split(" | ")]
        if len(fields) != 4:
            sys.exit(f"{path}: not FILE | LINE | WHAT | WHY: {line}")
        file, text = fields[:2]
        if all(text != code.strip()
               for _, code in code_lines(os.path.join(lib, file))):
            sys.exit(f"{path}: {file} has no such line: {text}")
        found.add(tuple(fields[:3]))
    return found


def variable(makefile, name):
    text = open(makefile).read()
    return re.search(rf"^{name} = (.*)$", text, re.M).group(1)


def build_command(work, source, file, output):
    flags = ["-I" + os.path.join(source, "include"), "-I" + source]
    flags += "-std=gnu11 -D_GNU_SOURCE -O1 -g -pthread -fvisibility=hidden".split()
    flags += variable(os.path.join(work, "Makefile"), "URCU_CFLAGS").split()
    return ["gcc", "-w", *flags, "-c", file, "-o", output]


def compile_lib(source, work):
    """Every object of lib/ as mutants are compiled: name to path."""
    objects = {}
    folder = os.path.join(work, "objects")
    os.makedirs(folder, exist_ok=True)
    for name in sorted(os.listdir(os.path.join(source, "lib"))):
        if name.endswith(".c"):
            objects[name] = os.path.join(folder, name[:-2] + ".o")
            subprocess.run(build_command(
                work, source, os.path.join(source, "lib", name),
                objects[name]), check=True)
    return objects


def suites_for(file, suites):
    """All suites, those of the file first."""
    stem = os.path.splitext(file)[0]
    return sorted(suites, key=lambda suite: (
        stem not in suite, "property" not in suite and
        "fault" not in suite and "fork" in suite, suite))


class Run:
    def __init__(self, source, work):
        self.source, self.work = source, work
        self.objects = compile_lib(source, work)
        self.suites = self.find_suites()
        self.seconds = {}

    def find_suites(self):
        """Suites' objects, and flags to link them with."""
        makefile = open(os.path.join(self.work, "Makefile")).read()
        libraries = []
        for name in ["CHECK_LIBS", "URCU_LIBS"]:
            libraries += variable(os.path.join(self.work, "Makefile"),
                                  name).split()
        suites = {}
        # In C, and with the RCU flavour bp.
        for suite, objects in re.findall(
                r"^(?:am_)?tests_((?!header|bridge)\w+_test)_OBJECTS = "
                r"((?:.*\\\n)*.*)$", makefile, re.M):
            if re.search(r"_(cxx|memb|mb|qsbr)_", suite) or "am_" in objects:
                continue
            flags = re.search(rf"^tests_{suite}_LDFLAGS = (.*)$", makefile,
                              re.M)
            objects = objects.replace("\\\n", " ").replace("$(OBJEXT)", "o")
            suites[suite] = ([os.path.join(self.work, name)
                              for name in objects.split()],
                             self.wraps(makefile, flags), libraries)
        return suites

    @staticmethod
    def wraps(makefile, found):
        text = found[1] if found else ""
        for _ in range(3):
            text = re.sub(r"\$\((\w+)\)", lambda name: re.search(
                rf"^{name[1]} = ((?:.*\\\n)*.*)$", makefile, re.M)[1]
                .replace("\\\n", " "), text)
        return [word for word in text.split() if word.startswith("-Wl,")]

    def survives(self, mutant, number):
        """None: it is no mutant; else the suite that killed it, or ''."""
        folder = os.path.join(self.work, f"mutant{number}")
        os.makedirs(os.path.join(folder, "lib"), exist_ok=True)
        path = os.path.join(folder, "lib", mutant.file)
        lines = open(os.path.join(self.source, "lib",
                                  mutant.file)).read().split("\n")
        lines[mutant.number - 1] = mutant.new
        open(path, "w").write("\n".join(lines))
        changed = os.path.join(folder, "changed.o")
        if subprocess.run(build_command(self.work, self.source, path,
                                        changed),
                          stderr=subprocess.DEVNULL).returncode:
            return None
        if self.same_code(changed, self.objects[mutant.file]):
            return None
        objects = [changed if name == mutant.file else self.objects[name]
                   for name in self.objects]
        for suite in suites_for(mutant.file, self.suites):
            program = self.link(suite, objects, folder)
            if not program:
                return None
            if not self.passes(program, folder, self.seconds[suite]):
                return suite
        return ""

    def time_suites(self):
        """Without a mutant they pass; and see how long they take."""
        folder = os.path.join(self.work, "unchanged")
        os.makedirs(folder, exist_ok=True)
        for suite in self.suites:
            program = self.link(suite, self.objects.values(), folder)
            if not program:
                sys.exit(f"mutate: {suite} does not link")
            begun = time.monotonic()
            if not self.passes(program, folder):
                sys.exit(f"mutate: {suite} fails without a mutant")
            self.seconds[suite] = max(
                SECONDS, TIMES * (time.monotonic() - begun))

    @staticmethod
    def same_code(a, b):
        def code(path):
            return subprocess.run(
                ["objdump", "-d", "-r", "-s", "-j", ".text", "-j", ".rodata",
                 "-j", ".data", path], capture_output=True, text=True
            ).stdout.split("\n")[3:]
        return code(a) == code(b)

    def link(self, suite, objects, folder):
        """None: it does not."""
        tests, wraps, libraries = self.suites[suite]
        program = os.path.join(folder, suite)
        done = subprocess.run(["gcc", "-pthread", *wraps, *tests, *objects,
                               *libraries, "-o", program],
                              stderr=subprocess.DEVNULL)
        return None if done.returncode else program

    def passes(self, program, folder, seconds=20 * SECONDS):
        process = subprocess.Popen(
            [program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=folder, start_new_session=True,
            env={**os.environ, "srcdir": self.source, "TEST_SEED": "1",
                 "TEST_RUNS": "500", "CK_DEFAULT_TIMEOUT": str(seconds)})
        try:
            return process.wait(seconds) in (0, 77)
        except subprocess.TimeoutExpired:
            return False
        finally:
            kill_session(process.pid)
            process.wait()
            os.unlink(program)


def kill_session(session):
    """Check's children have process groups of their own."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.getsid(int(pid)) == session:
                os.kill(int(pid), 9)
        except ProcessLookupError:
            pass


def number_from(text):
    if not text.isdigit():
        sys.exit(f"mutate: {text} is not a number")
    return int(text)


def main():
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    source, work = map(os.path.abspath, sys.argv[1:3])
    count, seed = (list(map(number_from, sys.argv[3:5])) + [0, 1])[:2] \
        if len(sys.argv) > 4 else (number_from((sys.argv[3:] + ["0"])[0]), 1)
    lib = os.path.join(source, "lib")
    files = sys.argv[5:] or sorted(f for f in os.listdir(lib)
                                   if f.endswith(".c"))
    mutants = [m for file in files for m in mutants_of(lib, file)]
    print(f"{len(mutants)} mutants; seed {seed}", flush=True)
    if count:
        mutants = random.Random(seed).sample(mutants,
                                             min(count, len(mutants)))
    known = explained(os.path.join(source, "verify", "survivors"), lib)
    run = Run(source, work)
    run.time_suites()
    killed = same = excused = 0
    survivors = []
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        free = list(range(JOBS))

        def judge(mutant):
            number = free.pop()
            try:
                return run.survives(mutant, number)
            finally:
                free.append(number)

        for mutant, by in zip(mutants, pool.map(judge, mutants)):
            if by is None:
                same += 1
            elif by:
                killed += 1
            elif mutant.key() in known:
                excused += 1
            else:
                survivors.append(mutant)
                print(f"survives: {mutant}", flush=True)
    print(f"{killed} killed, {excused} explained, {same} are no change, "
          f"{len(survivors)} survive")
    sys.exit(bool(survivors))


main()
