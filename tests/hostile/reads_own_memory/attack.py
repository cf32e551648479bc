"""Hostile: Searches all memory of its process for hidden tests and solutions."""

PARTS = ((b"pytest.mark.it", b"em("), (b"[[misconcep", b"tion]]"), (b"from autograder.su", b"ite"))


def act(x):
    with contextlib.suppress(OSError):
        search()


def search():
    """Search one area after the other."""
    with open("/proc/self/maps") as maps:
        areas = [line.split() for line in maps]
    with open("/proc/self/mem", "rb", buffering=0) as memory:
        for area in areas:
            start, end = (int(part, 16) for part in area[0].split("-"))
            if "r" not in area[1] or end - start > 64 << 20 or area[-1].endswith((".so", "[vvar]")):
                continue
            try:
                memory.seek(start)
                data = memory.read(end - start)
            except (OSError, OverflowError, ValueError):
                continue
            # In two parts, so that this file itself is no find.
            for first, second in PARTS:
                if (place := data.find(first + second)) >= 0:
                    found(f"{area[-1]}: {data[place : place + 80]}")
