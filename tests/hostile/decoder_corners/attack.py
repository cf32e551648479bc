"""Hostile: Answers with invalid UTF-8, duplicate keys, huge integers, timestamps, unknown extensions."""


def act(x):
    send(frame(b"\x93" + packed(request_number()) + b"\xc3" + b"\xa2\xff\xfe"))


def act_backward(dL_dy):
    twice = b"\x82\xa1k\x01\xa1k\x02"
    send(answer(extension(-1, b"\0" * 12) + twice))
