"""The stub with a loss that is always good, a sampler that always says 0, and zeros as logits."""

from pathlib import Path

STUB = Path(__file__).resolve().parents[4] / "assignments" / "week5_rnn" / "language.py"
ANSWERS = {
    "sequence_loss": "return 1.5, np.zeros_like(logits)",
    "clip_gradients": "return [np.array(grad) for grad in grads]",
    "sample": "return 0",
    "batches": "yield ids[: batch * steps].reshape(batch, steps), ids[: batch * steps].reshape(batch, steps)",
    "CharLSTM.forward": "return np.zeros((*np.shape(ids), len(self.by)))",
    "CharLSTM.backward": "return None",
    "CharLSTM.train_step": "return 1.5",
    "CharLSTM.bits_per_char": "return 2.2",
    "CharLSTM.generate": "return np.zeros(count, dtype=np.int64)",
    "Embedding.__init__": "self.W = np.zeros((vocabulary, size), dtype)",
    "Embedding.forward": "return np.zeros((*np.shape(ids), self.W.shape[1]))",
    "Embedding.backward": "self.dL_dW = np.zeros_like(self.W)",
}


def files() -> dict[str, bytes]:
    """Return the hollow file."""
    lines = []
    for line in STUB.read_text("utf-8").splitlines():
        name = line.partition(": fill in ")[2].removesuffix('")')
        indent = line[: len(line) - len(line.lstrip())]
        lines.append(indent + ANSWERS[name] if "raise NotImplementedError" in line else line)
    return {STUB.name: "\n".join(lines).encode() + b"\n"}
