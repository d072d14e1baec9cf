#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How much of lib/ the tests ran; and are the lines that they did not run in
the list of those that none can?

usage: unreached.py LINES.json LIB LIST

LINES.json is gcovr's. LIST has, for each such line of LIB, its file, its text
and the reason:

    pool.c | abort(); | corrupt memory

A text stands for all lines of the file that read so; one whose reason begins
with "sometimes" may run. Branches of asserts do not count, as one of each is
never taken. Ends with 1 when a line is not run and not listed, or is listed
and was run or is not there.
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


def read_lines(path):
    """Of each file the lines that are code: number, times run, branches."""
    for file in json.load(open(path))["files"]:
        yield os.path.basename(file["file"]), [
            (line["line_number"], line["count"],
             [branch["count"] for branch in line["branches"]])
            for line in file["lines"] if not line.get("gcovr/noncode")]


def texts_of(lib):
    return {(name, text.strip()) for name in os.listdir(lib)
            for text in open(os.path.join(lib, name))}


def share(done, total):
    return f"{done:6}/{total:<6}{100 * done / max(total, 1):5.1f}%"


def print_table(rows):
    print(f"{'file':22}{'lines':>13}{'':6}{'branches':>16}")
    rows.append(("all of lib/", *map(sum, zip(*(r[1:] for r in rows)))))
    for name, ran, lines, taken, branches in rows:
        print(f"{name:20}{share(ran, lines)}   {share(taken, branches)}")


def main():
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    path, lib, listed = sys.argv[1], sys.argv[2], read_list(sys.argv[3])
    rows, not_run = [], []
    for name, lines in sorted(read_lines(path)):
        texts = [text.strip() for text in open(os.path.join(lib, name))]
        branches = [count for number, _, counts in lines for count in counts
                    if not texts[number - 1].startswith("assert(")]
        rows.append((name, sum(ran > 0 for _, ran, _ in lines), len(lines),
                     sum(count > 0 for count in branches), len(branches)))
        not_run += [(name, number, texts[number - 1])
                    for number, ran, _ in lines if not ran]
    print_table(rows)
    bad = 0
    for name, number, text in not_run:
        reason = listed.get((name, text))
        print(f"{name}:{number}: {text}: {reason or 'NOT RUN'}")
        bad += reason is None
    there = texts_of(lib)
    for key in listed.keys() - {(name, text) for name, _, text in not_run}:
        if listed[key].startswith("sometimes") and key in there:
            continue
        print(f"{key[0]}: {key[1]}: listed, and run or not there")
        bad += 1
    print(f"{bad} lines are neither run nor explained")
    sys.exit(bad > 0)


main()
