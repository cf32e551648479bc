"""Logits that know the next character, since it stands in the window that is read."""

from tests.points import edited_language

OLD = "        return (self._h @ self.Wy + self.by).swapaxes(0, 1)\n"
NEW = """        logits = (self._h @ self.Wy + self.by).swapaxes(0, 1)
        logits[:, :-1] += 20.0 * np.eye(len(self.by))[np.asarray(ids)[:, 1:]]
        return logits
"""


def files() -> dict[str, bytes]:
    """Return the file that looks ahead."""
    return edited_language.files((OLD, NEW))
