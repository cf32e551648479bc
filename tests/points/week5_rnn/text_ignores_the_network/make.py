"""Text drawn from the frequencies of letters, without asking the network."""

from tests.points import edited_language

OLD = "            logits = self.forward(read[None])[0, -1]\n"
NEW = "            logits = np.log(1.0 / np.arange(1.0, len(self.by) + 1.0))\n"


def files() -> dict[str, bytes]:
    """Return the file that writes without reading."""
    return edited_language.files((OLD, NEW))
