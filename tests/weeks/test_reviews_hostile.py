"""Nothing right earns nothing in week 5's part on reviews: each attack gets what is honest in it.

An attack is a submission, and beside it stands what of it is honest work, alone. Both must get the
same points, item by item.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

import pytest

from autograder import course as courses
from autograder.course.scoring import score_student
from autograder.grading.examiner import Examiner
from autograder.records import Verdict
from tests.conftest import ROOT
from tests.proofs import Reads, tree

pytest.importorskip("torch")

COURSE = courses.load(ROOT)
WEEK = COURSE.week_called("sentiment")
ITEMS = ("sentiment.classifier", "sentiment.bag_of_words", "sentiment.trained")

HEAD = """
\"\"\"A submission.\"\"\"

import torch
from torch import nn


class Parts(nn.Module):
    \"\"\"The parts that are promised.\"\"\"

    def __init__(self, vocab, embed, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocab, embed)
        self.lstm = nn.LSTM(embed, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

"""
NOTHING = """
def last_valid(states, lengths):
    raise NotImplementedError("sentiment.classifier: fill in last_valid")


def bag_of_words(ids, lengths, vocab):
    raise NotImplementedError("sentiment.bag_of_words: fill in bag_of_words")


def train(model, ids, lengths, labels, epochs, batch_size=64, lr=0.005, seed=0):
    raise NotImplementedError("sentiment.trained: fill in train")


class LSTMClassifier(Parts):
    def forward(self, ids, lengths):
        raise NotImplementedError("sentiment.classifier: fill in forward")

"""
READS = """
def last_valid(states, lengths):
    return states[torch.arange(len(states)), lengths - 1]


class LSTMClassifier(Parts):
    def forward(self, ids, lengths):
        return self.head(last_valid(self.lstm(self.embedding(ids))[0], lengths)).squeeze(1)

"""
LOOP = """
def train(model, ids, lengths, labels, epochs, batch_size=64, lr=0.005, seed=0):
    draw = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr)
    model.train()
    losses = []
    for _ in range(epochs):
        found = []
        for rows in torch.randperm(len(ids), generator=draw).split(batch_size):
            logits = model(ids[rows], lengths[rows])
            loss = nn.functional.binary_cross_entropy_with_logits(logits, labels[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            found.append(loss.item())
        losses.append(sum(found) / len(found))
    model.eval()
    return losses

"""
GENERATOR = (ROOT / "solutions" / WEEK.folder / "reviews.py").read_text("utf-8")
GENERATOR = GENERATOR.replace("from __future__ import annotations\n", "")
"""What makes the reviews that students have; it may be copied into a submission."""

FALLING = "[0.69 * 0.8**epoch for epoch in range(epochs)]"

ATTACKS = {
    "weights that depend on the seed alone": (
        NOTHING + READS,
        f"""
        def train(model, ids, lengths, labels, epochs, batch_size=64, lr=0.005, seed=0):
            torch.manual_seed(seed)
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.copy_(torch.randn_like(parameter))
            model.eval()
            return {FALLING}
        """,
    ),
    "trained on reviews.py instead of what is given": (
        NOTHING + READS + GENERATOR,
        """
        def train(model, ids, lengths, labels, epochs, batch_size=64, lr=0.005, seed=0):
            texts, kinds = reviews(600, np.random.default_rng(seed))
            words, many = map(torch.from_numpy, as_numbers(texts))
            words = words % next(iter(model.parameters())).shape[0]
            optimizer = torch.optim.Adam(model.parameters(), 0.01)
            losses = []
            for _ in range(epochs):
                logits = model(words, many)
                loss = nn.functional.binary_cross_entropy_with_logits(
                    logits, torch.from_numpy(kinds)
                )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            model.eval()
            return losses
        """,
    ),
    "labels remembered review by review": (
        NOTHING,
        f"""
        KNOWN = {{}}


        class LSTMClassifier(Parts):
            def forward(self, ids, lengths):
                keys = [tuple(row[:n].tolist()) for row, n in zip(ids, lengths)]
                return torch.tensor([KNOWN.get(key, 0.5) * 20.0 - 10.0 for key in keys])


        def train(model, ids, lengths, labels, epochs, batch_size=64, lr=0.005, seed=0):
            for row, n, label in zip(ids, lengths, labels):
                KNOWN[tuple(row[:n].tolist())] = float(label)
            model.eval()
            return {FALLING}
        """,
    ),
    "logits remembered from call to call": (
        NOTHING,
        """
        SEEN = {}


        class LSTMClassifier(Parts):
            def forward(self, ids, lengths):
                if len(ids) not in SEEN:
                    SEEN[len(ids)] = torch.randn(len(ids)) + self.head.bias.detach()
                return SEEN[len(ids)]
        """,
    ),
    "a classifier that counts words, which does learn": (
        NOTHING + LOOP,
        """
        class LSTMClassifier(Parts):
            def forward(self, ids, lengths):
                valid = torch.arange(ids.shape[1]) < lengths[:, None]
                counted = (self.embedding(ids) * valid[:, :, None]).sum(dim=1)
                wide = self.head.weight.shape[1]
                return (counted.repeat(1, wide)[:, :wide] @ self.head.weight.T)[:, 0]
        """,
    ),
    "the suite's model is told what it has seen": (
        NOTHING,
        f"""
        def train(model, ids, lengths, labels, epochs, batch_size=64, lr=0.005, seed=0):
            draw = torch.Generator().manual_seed(seed)
            if hasattr(model, "asked"):
                for _ in range(epochs):
                    for rows in torch.randperm(len(ids), generator=draw).split(batch_size):
                        model.asked.append((ids[rows].numpy(), lengths[rows].numpy(), True))
            model.eval()
            return {FALLING}
        """,
    ),
    "a rule for the words of reviews.py": (
        NOTHING + GENERATOR,
        """
        class LSTMClassifier(Parts):
            def forward(self, ids, lengths):
                good = torch.tensor([NUMBERS[word] for word in GOOD])
                turned = (ids == NUMBERS["not"]).sum(dim=1)
                return 1.0 - 2.0 * ((torch.isin(ids, good).sum(dim=1) + turned) % 2).float()
        """,
    ),
    "infinite weights": (
        NOTHING + READS,
        f"""
        def train(model, ids, lengths, labels, epochs, batch_size=64, lr=0.005, seed=0):
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.fill_(float("inf"))
            model.eval()
            return {FALLING}
        """,
    ),
    "nothing but the prior": (
        NOTHING + READS,
        f"""
        def train(model, ids, lengths, labels, epochs, batch_size=64, lr=0.005, seed=0):
            share = labels.mean()
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.zero_()
                [*model.parameters()][-1][0] = torch.log(share / (1 - share))
            model.eval()
            return {FALLING}
        """,
    ),
}


def reads(name: str) -> Reads:
    """Return what a proof depends on: the week, and what is written here."""
    places = [ROOT / place / WEEK.folder for place in ("assignments", "solutions")]
    return Reads((*(path for place in places for path in tree(place)), __file__), ())


@pytest.fixture(scope="module")
def points(confinement) -> Iterator[Callable[[str], dict[str, int]]]:
    """A function from the text of sentiment.py to the points of its items, in hundredths."""
    examiner = Examiner(ROOT, WEEK.number, confinement, None)

    def graded(text: str) -> dict[str, int]:
        examined = examiner.examine({"sentiment.py": text.encode()}, explain=False)
        assert Verdict.INFRA not in {result.verdict for result in examined.results}
        scored = score_student(COURSE, "someone", examiner.plan, examined.results)
        return {item.id: item.points for item in scored.items if item.id in ITEMS}

    yield graded
    examiner.close()


@pytest.mark.prove(reads=lambda: reads(""))
def test_what_is_right_earns_everything(points) -> None:
    """The pieces that attacks are made of are right, where they are said to be."""
    counts = """
    def bag_of_words(ids, lengths, vocab):
        rows = [torch.bincount(row[:n], minlength=vocab) for row, n in zip(ids, lengths)]
        return torch.stack(rows).float()
    """
    text = HEAD + NOTHING + READS + LOOP + textwrap.dedent(counts)
    assert points(text) == {item: WHOLE[item] for item in ITEMS}


WHOLE = {item.id: item.points for item in COURSE.items(WEEK.number)}


@pytest.mark.prove(reads=reads)
@pytest.mark.parametrize("name", ATTACKS)
def test_it_earns_what_is_honest_in_it(points, name: str) -> None:
    honest, attack = ATTACKS[name]
    assert points(HEAD + honest + textwrap.dedent(attack)) == points(HEAD + honest)
