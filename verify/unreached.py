#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Hold the lines that no test ran against the list of those that none can.

usage: unreached.py LINES.json LIB LIST

LINES.json is gcovr's. LIST has, for each such line of LIB, its file, its text
and the reason, with tabs or several spaces between:

    pool.c | abort(); | corrupt memory

A text stands for all lines of the file that read so. Ends with 1 when a line
is not run and not listed, or is listed and not there any more.
"""
import json
import os
import sys


def read_list(path):
    listed = {}
    for number, line in enumerate(open(path), 1):
        if line.startswith("#") or not line.strip():
            continue
        fields = [field.strip() for field in line.split(" | ")]
        if len(fields) != 3:
            sys.exit(f"{path}:{number}: not FILE | TEXT | REASON")
        listed[fields[0], fields[1]] = fields[2]
    return listed


def lines_not_run(path):
    for file in json.load(open(path))["files"]:
        name = os.path.basename(file["file"])
        for line in file["lines"]:
            if not line["count"] and not line.get("gcovr/noncode"):
                yield name, line["line_number"]


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    lines, lib, listed = sys.argv[1], sys.argv[2], read_list(sys.argv[3])
    texts = {name: [text.strip() for text in open(os.path.join(lib, name))]
             for name in os.listdir(lib)}
    bad = 0
    for name, number in sorted(lines_not_run(lines)):
        text = texts[name][number - 1]
        reason = listed.get((name, text))
        print(f"{name}:{number}: {text}: {reason or 'NOT RUN'}")
        bad += reason is None
    for name, text in listed:
        if text not in texts.get(name, []):
            print(f"{name}: {text}: listed, and not there")
            bad += 1
    print(f"{bad} lines are neither run nor explained")
    sys.exit(bad > 0)


main()
