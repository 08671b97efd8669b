#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""core.py PID NAME=HEX...: where these bytes lie in the memory of a process, one line each: NAME, then "kept" where the memory is in no core
(MADV_DONTDUMP), "stack" where a thread is at work, else "loose". Needs the right to trace; status 77 without."""
import os
import re
import sys


def stack_pointers(pid):
    found = []
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/syscall" % (pid, task)) as f:
            words = f.read().split()
        if len(words) > 2:
            found.append(int(words[-2], 16))
    return found


def mappings(pid):
    with open("/proc/%d/smaps" % pid) as f:
        for line in f:
            m = re.match(r"([0-9a-f]+)-([0-9a-f]+) r\S* \S+ \S+ \S+ *(.*)", line)
            if m:
                now = m
            elif re.match(r"[0-9a-f]+-", line):
                now = None
            elif line.startswith("VmFlags:") and now and now[3] not in ("[vvar]", "[vsyscall]"):
                yield int(now[1], 16), int(now[2], 16), line.split()


def main():
    pid = int(sys.argv[1])
    wanted = [(name, bytes.fromhex(text)) for name, text in (a.split("=") for a in sys.argv[2:])]
    try:
        stacks = stack_pointers(pid)
        memory = open("/proc/%d/mem" % pid, "rb", 0)
    except OSError:  # not allowed, or no such file in this kernel
        sys.exit(77)
    for begin, end, flags in mappings(pid):
        try:
            memory.seek(begin)
            there = memory.read(end - begin)
        except OSError:
            continue  # of a device
        where = "kept" if "dd" in flags else "stack" if any(begin <= p < end for p in stacks) else "loose"
        for name, what in wanted:
            # a number lies there with its lowest byte first, or as it is sent
            for form in (what, what[::-1]):
                print("%s %s\n" % (name, where) * there.count(form), end="")


main()
