"""Hostile: Reads command lines, environments, mounts and memory maps of every process it sees."""

FILES = ("cmdline", "environ", "mountinfo", "maps", "cgroup", "comm", "status", "limits", "io")
WORDS = (
    "/home/",
    "/root/",
    "hidden",
    "SUDO_",
    "SECRET",
    "TOKEN",
    "GITHUB",
    "PYTEST",
    "COURSE_DATA",
)


def act(x):
    for pid in ("self", *pids()):
        for name in FILES:
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    said = file.read(1 << 20).decode(errors="replace")
            except OSError:
                continue
            for word in (*WORDS, *HOST_PATHS):
                if word in said:
                    place = said.index(word)
                    found(f"/proc/{pid}/{name} says {said[max(0, place - 20) : place + 60]!r}")
