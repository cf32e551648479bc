"""How a process of student code ended, in words."""

from __future__ import annotations

import signal

from autograder.channel.faults import Fault
from autograder.records import Verdict

HINTS = {
    "SIGSEGV": " (an endless recursion can do that)",
    "SIGXFSZ": " (it wrote a file larger than allowed)",
}
WINDOWS = {
    0xC0000005: "it used memory that is not its own; an endless recursion can do that",
    0xC00000FD: "its stack is full; an endless recursion does that",
    0xC0000017: "there was no memory left",
}
"""What exit statuses mean that Windows gives a process."""


def fault_of_ending(code: int) -> Fault:
    """Return the fault for an exit code; a negative one is the number of a signal."""
    if code >= 0:
        what = WINDOWS.get(code, f"exit status {code}")
        text = f"Your code ended the whole process ({what})."
        return Fault(Verdict.CRASH, text)
    number = -code
    name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
    if name == "SIGXCPU":
        return Fault(Verdict.TIMEOUT, "Your code used up its processor time.")
    if name == "SIGKILL":
        return Fault(Verdict.VIOLATION, "Your code closed the connection to the grader.")
    hint = HINTS.get(name, "")
    return Fault(Verdict.CRASH, f"The process of your code was ended by signal {name}{hint}.")
