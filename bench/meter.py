"""What a process and its children cost: processor time and memory, read from the kernel."""

import os
import pathlib
import time


def family(pid):
    """A process and all its descendants."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for member in found:
        found.extend(children.get(member, []))
    return found


def cpu_seconds(pids):
    """Processor time of these processes, ended threads included, in nanosecond steps."""
    total = 0.0
    for pid in pids:
        # The clock id that clock_getcpuclockid(3) returns for another process.
        clock = (~pid << 3) | 2
        try:
            total += time.clock_gettime(clock)
        except OSError:
            pass
    return total


def nice_seconds(cpu):
    """Time that one processor has worked on processes of low priority, as encoders are: proc(5), in steps of 10 ms."""
    lines = pathlib.Path("/proc/stat").read_text().splitlines()
    fields = next(line.split() for line in lines if line.startswith(f"cpu{cpu} "))
    return int(fields[2]) / os.sysconf("SC_CLK_TCK")


def resident_kib(pids):
    """Memory of these processes; what they share is counted once."""
    total = 0
    for pid in pids:
        try:
            lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total


class Span:
    """Processor time over a span of wall time."""

    def __init__(self, pids):
        self.pids = pids
        self.wall, self.cpu = time.monotonic(), cpu_seconds(pids)

    def end(self):
        """Seconds of wall time and of processor time since the beginning."""
        return time.monotonic() - self.wall, cpu_seconds(self.pids) - self.cpu
