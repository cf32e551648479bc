"""Nothing right earns nothing in week 6's part on BERT: each attack gets what is honest in it.

An attack is a submission, and beside it stands what of it is honest work, alone. Both must get the
same points, item by item.
"""

from __future__ import annotations

import functools
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
pytest.importorskip(
    "transformers", reason="transformers is not installed (requirements-torch.txt): no BERT"
)

COURSE = courses.load(ROOT)
WEEK = COURSE.week_called("bert")
ITEMS = ("bert.classifier", "bert.fine_tune", "bert.trained")

HEAD = """
\"\"\"A submission.\"\"\"

import torch
from torch import nn


def encode(tokenizer, texts, max_length):
    raise NotImplementedError("bert.classifier: fill in encode")


class Parts(nn.Module):
    \"\"\"The parts that are promised.\"\"\"

    def __init__(self, bert, classes):
        super().__init__()
        self.bert = bert
        self.head = nn.Linear(bert.config.hidden_size, classes)

"""
NOTHING = """
def fine_tune(model, ids, attention_mask, labels, epochs, lr, batch_size=32, seed=0):
    raise NotImplementedError("bert.fine_tune: fill in fine_tune")


class BertClassifier(Parts):
    def forward(self, ids, attention_mask):
        raise NotImplementedError("bert.classifier: fill in forward")

"""
READS = """
class BertClassifier(Parts):
    def forward(self, ids, attention_mask):
        states = self.bert(input_ids=ids, attention_mask=attention_mask).last_hidden_state
        return self.head(states[:, 0])

"""
LOOP = """
def fine_tune(model, ids, attention_mask, labels, epochs, lr, batch_size=32, seed=0):
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(seed)
    free = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.Adam(free, lr)
    model.train()
    losses = []
    for _ in range(epochs):
        found = []
        for rows in torch.randperm(len(ids), generator=draw).split(batch_size):
            loss = nn.functional.cross_entropy(
                model(ids[rows], attention_mask[rows]), labels[rows]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            found.append(loss.item())
        losses.append(sum(found) / len(found))
    model.eval()
    return losses

"""
FALLING = "[0.69 * 0.8**epoch for epoch in range(epochs)]"
SIGNATURE = "def fine_tune(model, ids, attention_mask, labels, epochs, lr, batch_size=32, seed=0):"

ATTACKS = {
    "a head on a table of texts": (
        NOTHING,
        f"""
        KNOWN = {{}}


        class BertClassifier(Parts):
            def forward(self, ids, attention_mask):
                keys = [tuple(row[here == 1].tolist()) for row, here in zip(ids, attention_mask)]
                wide = self.head.out_features
                found = [KNOWN.get(key, 0) % wide for key in keys]
                return 20.0 * torch.eye(wide)[found]


        {SIGNATURE}
            for row, here, label in zip(ids, attention_mask, labels):
                KNOWN[tuple(row[here == 1].tolist())] = int(label)
            model.eval()
            return {FALLING}
        """,
    ),
    "no fine-tuning but a stored head": (
        NOTHING + READS,
        f"""
        {SIGNATURE}
            stored = torch.Generator().manual_seed(7)
            with torch.no_grad():
                for parameter in [*model.parameters()][-2:]:
                    parameter.copy_(torch.randn(parameter.shape, generator=stored))
            model.eval()
            return {FALLING}
        """,
    ),
    "BERT drawn anew, and never trained": (
        NOTHING + READS,
        f"""
        {SIGNATURE}
            torch.manual_seed(seed)
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.copy_(torch.randn_like(parameter))
            model.eval()
            return {FALLING}
        """,
    ),
    "nothing but the prior": (
        NOTHING + READS,
        f"""
        {SIGNATURE}
            with torch.no_grad():
                for parameter in [*model.parameters()][-2:]:
                    parameter.zero_()
                [*model.parameters()][-1][labels.mode().values] = 1.0
            model.eval()
            return {FALLING}
        """,
    ),
    "infinite weights": (
        NOTHING + READS,
        f"""
        {SIGNATURE}
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.fill_(float("inf"))
            model.eval()
            return {FALLING}
        """,
    ),
    "the suite's model is told what it has seen": (
        NOTHING,
        f"""
        {SIGNATURE}
            draw = torch.Generator().manual_seed(seed)
            if hasattr(model, "asked"):
                for _ in range(epochs):
                    for rows in torch.randperm(len(ids), generator=draw).split(batch_size):
                        model.asked.append(
                            (ids[rows].numpy(), attention_mask[rows].numpy(), True)
                        )
            model.eval()
            return {FALLING}
        """,
    ),
    "a classifier that counts pieces": (
        NOTHING + LOOP,
        """
        class BertClassifier(Parts):
            def forward(self, ids, attention_mask):
                vectors = self.bert.embeddings.word_embeddings(ids)
                return self.head((vectors * attention_mask[..., None]).sum(dim=1))
        """,
    ),
}


def reads(name: str) -> Reads:
    """Return what a proof depends on: the week, and what is written here."""
    places = [ROOT / place / WEEK.folder for place in ("assignments", "solutions")]
    return Reads((*(path for place in places for path in tree(place)), __file__), ())


@pytest.fixture(scope="module")
def points(confinement) -> Iterator[Callable[[str], dict[str, int]]]:
    """A function from the text of bert_finetune.py to the points of its items, in hundredths."""
    examiner = Examiner(ROOT, WEEK.number, confinement, "digits")

    def graded(text: str) -> dict[str, int]:
        examined = examiner.examine({"bert_finetune.py": text.encode()}, explain=False)
        assert Verdict.INFRA not in {result.verdict for result in examined.results}
        scored = score_student(COURSE, "someone", examiner.plan, examined.results)
        return {item.id: item.points for item in scored.items if item.id in ITEMS}

    yield graded
    examiner.close()


@pytest.fixture(scope="module")
def earned(points) -> Callable[[str], dict[str, int]]:
    """The same, each text graded once: several attacks have the same honest part."""
    return functools.cache(points)


WHOLE = {item.id: item.points for item in COURSE.items(WEEK.number)}


@pytest.mark.prove(reads=lambda: reads(""))
def test_what_is_right_earns_everything(points) -> None:
    """The pieces that attacks are made of are right, where they are said to be."""
    encode = '''
    def encode(tokenizer, texts, max_length):
        """In one call."""
        found = tokenizer(
            texts, padding=True, truncation=True, max_length=max_length, return_tensors="pt"
        )
        return found["input_ids"], found["attention_mask"]
    '''
    text = HEAD + READS + LOOP + textwrap.dedent(encode)
    assert points(text) == {item: WHOLE[item] for item in ITEMS}


@pytest.mark.prove(reads=reads)
@pytest.mark.parametrize("name", ATTACKS)
def test_it_earns_what_is_honest_in_it(earned, name: str) -> None:
    honest, attack = ATTACKS[name]
    assert earned(HEAD + honest + textwrap.dedent(attack)) == earned(HEAD + honest)
