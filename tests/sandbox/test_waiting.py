"""Waiting for descriptors with numbers that select does not take."""

import contextlib
import os
import resource
import socket
import time

import pytest

from autograder.sandbox.waiting import readable, writable


def test_what_can_be_read_or_has_ended_is_returned():
    ours, theirs = socket.socketpair()
    read_end, write_end = os.pipe()
    assert readable(ours, read_end, seconds=0) == []
    os.write(write_end, b"x")
    assert readable(ours, read_end, seconds=1) == [read_end]
    theirs.close()
    assert set(readable(ours, read_end, seconds=1)) == {ours, read_end}
    for end in (read_end, write_end):
        os.close(end)
    ours.close()


def test_a_full_socket_takes_nothing_until_it_is_read():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        assert writable(ours, seconds=0) == [ours]
        with contextlib.suppress(BlockingIOError):
            while True:
                ours.send(bytes(1 << 16))
        assert writable(ours, seconds=0) == []
        while not writable(ours, seconds=0):
            theirs.recv(1 << 20)


def test_numbers_above_1023_are_taken():
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most <= 1100:
        pytest.skip("this process may have no such descriptor")
    read_end, write_end = os.pipe()
    high = os.dup2(read_end, 1099)
    try:
        os.write(write_end, b"x")
        assert readable(high, seconds=1) == [high]
    finally:
        for end in (read_end, write_end, high):
            os.close(end)


def test_it_waits_no_longer_than_it_may_and_refuses_what_is_closed():
    read_end, write_end = os.pipe()
    begun = time.monotonic()
    assert readable(read_end, seconds=0.01) == []
    assert time.monotonic() > begun
    os.close(read_end)
    with pytest.raises(OSError, match="Bad file descriptor"):
        readable(read_end, seconds=0)
    os.close(write_end)
