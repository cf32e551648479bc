"""PyTorch's LSTM in the place of the student's own."""

from tests.points import edited_language

OLD = "from rnn import LSTM\n"
NEW = """import torch


class LSTM(torch.nn.LSTM):
    \"\"\"PyTorch's.\"\"\"
"""


def files() -> dict[str, bytes]:
    """Return the file that imports PyTorch."""
    return edited_language.files((OLD, NEW))
