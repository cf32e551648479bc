"""Questions that code in a worker asks while a request is carried out."""

from __future__ import annotations

from typing import Any

from autograder.worker.dispatch import Dispatcher
from autograder.worker.serving import Serving
from autograder.worker.week_drivers import WeekDrivers


class Script:
    """A channel on which these messages come; `sent` are the answers."""

    def __init__(self, *messages: list[Any]) -> None:
        self._messages, self.sent = list(messages), list[list[Any]]()

    def receive(self, from_ref: Any) -> list[Any]:
        return self._messages.pop(0)

    def send(self, answer: list[Any], to_ref: Any) -> None:
        self.sent.append(answer)


def asks_twice(ask: Any, start: int) -> list[int]:
    return [ask([start, 0]) + ask([start, 1])]


def swallows(ask: Any) -> list[str]:
    try:
        ask([0, 0])
    except BaseException:  # noqa: BLE001 - student code may do that
        ask([0, 1])
    return ["went on"]


def served(*messages: list[Any]) -> list[list[Any]]:
    drivers = WeekDrivers({"asks": asks_twice, "swallows": swallows}, {})
    channel = Script(*messages, [0, False])
    assert Serving(channel, Dispatcher("/none", own=drivers)).until_other() == [0, False]
    return channel.sent


def test_a_question_is_the_answer_to_the_present_request():
    sent = served([7, "converse", ["asks", [5]]], [8, "answer", [20]], [9, "answer", [3]])
    assert sent == [[7, True, [5, 0]], [8, True, [5, 1]], [9, True, [23]]]


def test_a_function_whose_question_is_not_answered_ends_and_the_next_request_is_served():
    for driver, arguments in (("asks", [5]), ("swallows", [])):
        sent = served([7, "converse", [driver, arguments]], [8, "fetch", [1]])
        assert [one[0] for one in sent] == [7, 8]
        assert sent[1] == [8, True, 1]


def test_an_answer_that_nobody_waits_for_is_a_fault():
    [[number, done, fault]] = served([7, "answer", [1]])
    assert (number, done, fault["type"]) == (7, False, "KeyError")
