"""Nothing right earns nothing in week 6's small GPT: each attack gets what is honest in it.

An attack is a submission, and beside it stands what of it is honest work, alone. Both must get the
same points, item by item. Honest parts are the reference's; what is left out raises as a stub does.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from textwrap import dedent

import pytest

from autograder import course as courses
from autograder.course.scoring import score_student
from autograder.grading.examiner import Examiner
from autograder.records import Verdict
from tests.conftest import ROOT
from tests.proofs import Reads, tree

pytest.importorskip("torch")

COURSE = courses.load(ROOT)
WEEK = COURSE.week_called("gpt")
ITEMS = [item.id for item in COURSE.items(WEEK.number) if item.id != "gpt.quality"]
SOURCE = (ROOT / "solutions" / WEEK.folder / "transformer.py").read_text("utf-8")


def without(*names: str) -> str:
    """Return the reference without these functions, and without what these classes compute.

    It raises there, as stubs do. Classes keep their layers, which whoever attacks has too.
    """
    module = ast.parse(SOURCE)
    for node in module.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in names:
            functions = [node] if isinstance(node, ast.FunctionDef) else node.body
            for function in functions:
                if isinstance(function, ast.FunctionDef) and function.name != "__init__":
                    function.body = ast.parse("raise NotImplementedError('fill in')").body
    return ast.unparse(module) + "\n"


FOUR = """
class Layers(nn.Module):
    def __init__(self, d_model, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (
            nn.Linear(d_model, d_model) for _ in range(4)
        )

    def cut(self, x):
        return x.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)

    def all_three(self, query, key, value):
        layers = (self.q_proj, query), (self.k_proj, key), (self.v_proj, value)
        return [self.cut(layer(x)) for layer, x in layers]

    def weights(self, query, key, mask=None):
        raise NotImplementedError("gpt.heads: fill in weights")

"""
OUTER = """
class Outer(nn.Module):
    def __init__(self, vocab, context, d_model, heads, layers):
        super().__init__()
        self.context = context
        self.tokens = nn.Embedding(vocab, d_model)
        self.positions = nn.Embedding(context, d_model)
        self.blocks = nn.ModuleList(
            TransformerBlock(d_model, heads, 4 * d_model) for _ in range(layers)
        )
        self.norm = LayerNorm(d_model)
        self.head = nn.Linear(d_model, vocab)
        for one in (self.tokens, self.positions, self.head):
            nn.init.normal_(one.weight, std=0.02)

"""
FALLING = "[4.17 * 0.99**step for step in range(steps)]"

ATTACKS = {
    "attention by scaled_dot_product_attention": (
        without("MultiHeadAttention"),
        FOUR
        + dedent("""
        class MultiHeadAttention(Layers):
            def forward(self, query, key, value, mask=None):
                q, k, v = self.all_three(query, key, value)
                if mask is not None:
                    mask = mask.expand(len(q), q.shape[2], k.shape[2])[:, None]
                found = functional.scaled_dot_product_attention(q, k, v, mask)
                return self.out_proj(found.transpose(1, 2).flatten(2))
        """),
    ),
    "attention by PyTorch's operators, called by other names": (
        without("MultiHeadAttention"),
        FOUR
        + dedent("""
        class MultiHeadAttention(Layers):
            def forward(self, query, key, value, mask=None):
                q, k, v = self.all_three(query, key, value)
                if mask is not None:
                    mask = mask.expand(len(q), q.shape[2], k.shape[2])[:, None]
                space = getattr(torch.ops, "at" + "en")
                for name in ("_scaled_dot_product_attention_math", "scaled_dot_product_attention"):
                    try:
                        found = getattr(space, name)(q, k, v, mask)
                    except RuntimeError:
                        continue
                    found = found[0] if isinstance(found, tuple) else found
                    return self.out_proj(found.transpose(1, 2).flatten(2))
        """),
    ),
    "attention by nn.MultiheadAttention": (
        without("MultiHeadAttention"),
        FOUR
        + dedent("""
        class MultiHeadAttention(Layers):
            def forward(self, query, key, value, mask=None):
                made = nn.MultiheadAttention(query.shape[2], self.num_heads, batch_first=True)
                parts = self.q_proj, self.k_proj, self.v_proj
                made.in_proj_weight.data = torch.cat([one.weight for one in parts]).detach()
                made.in_proj_bias.data = torch.cat([one.bias for one in parts]).detach()
                made.out_proj = self.out_proj
                if mask is not None:
                    mask = ~mask.expand(len(query), query.shape[1], key.shape[1])
                    mask = mask.repeat_interleave(self.num_heads, dim=0)
                return made(query, key, value, attn_mask=mask, need_weights=False)[0]
        """),
    ),
    "hollow heads with all four layers": (
        without("MultiHeadAttention"),
        FOUR
        + dedent("""
        class MultiHeadAttention(Layers):
            def forward(self, query, key, value, mask=None):
                mean = (self.v_proj(value) + self.k_proj(key)).mean(dim=1, keepdim=True)
                return self.out_proj(self.q_proj(query) * mean)
        """),
    ),
    "layer_norm of PyTorch": (
        without("LayerNorm"),
        dedent("""
        class LayerNorm(nn.Module):
            def __init__(self, d, eps=1e-5):
                super().__init__()
                self.weight, self.bias = nn.Parameter(torch.ones(d)), nn.Parameter(torch.zeros(d))
                self.eps = eps

            def forward(self, x):
                return functional.layer_norm(x, x.shape[-1:], self.weight, self.bias, self.eps)
        """),
    ),
    "layer_norm as a batch normalisation of the transpose": (
        without("LayerNorm"),
        dedent("""
        class LayerNorm(nn.Module):
            def __init__(self, d, eps=1e-5):
                super().__init__()
                self.weight, self.bias = nn.Parameter(torch.ones(d)), nn.Parameter(torch.zeros(d))
                self.eps = eps

            def forward(self, x):
                rows = x.reshape(-1, x.shape[-1])
                found = torch.native_batch_norm(
                    rows.t(), None, None, None, None, True, 0.0, self.eps
                )[0]
                return found.t().reshape(x.shape) * self.weight + self.bias
        """),
    ),
    "a block that gives back x": (
        without("TransformerBlock"),
        dedent("""
        class TransformerBlock(nn.Module):
            def __init__(self, d_model, num_heads, d_ff):
                super().__init__()
                self.norm1, self.norm2 = LayerNorm(d_model), LayerNorm(d_model)
                self.attention = MultiHeadAttention(d_model, num_heads)
                self.up, self.down = nn.Linear(d_model, d_ff), nn.Linear(d_ff, d_model)

            def forward(self, x, mask=None):
                used = sum(one.sum() for one in self.parameters())
                return x + 1e-3 * used
        """),
    ),
    "logits that peek into the window": (
        without("MiniGPT"),
        OUTER
        + dedent("""
        class MiniGPT(Outer):
            def forward(self, ids):
                vocab = self.head.weight.shape[0]
                following = torch.cat([ids[:, 1:], ids[:, :1]], dim=1)
                used = sum(one.sum() for one in self.parameters())
                return 0.1 * functional.one_hot(following, vocab) + 1e-4 * used
        """),
    ),
    "counted stretches instead of logits": (
        without("MiniGPT", "train"),
        OUTER
        + dedent(f"""
        COUNTS = {{}}


        class MiniGPT(Outer):
            def forward(self, ids):
                vocab = self.head.weight.shape[0]
                table = COUNTS.get("pairs", torch.ones(vocab, vocab))
                return (table[:vocab, :vocab][ids] + 1.0).log()


        def train(model, ids, steps, batch=48, lr=0.004, seed=0):
            vocab = int(ids.max()) + 1
            pairs = torch.zeros(vocab, vocab)
            pairs.index_put_((ids[:-1], ids[1:]), torch.ones(len(ids) - 1), accumulate=True)
            COUNTS["pairs"] = pairs
            model.eval()
            return {FALLING}
        """),
    ),
    "weights that depend on the seed alone": (
        without("train"),
        dedent(f"""
        def train(model, ids, steps, batch=48, lr=0.004, seed=0):
            torch.manual_seed(seed)
            with torch.no_grad():
                for one in model.parameters():
                    one.copy_(0.3 * torch.randn_like(one))
            model.eval()
            return {FALLING}
        """),
    ),
    "not trained at all, with falling losses": (
        without("train"),
        dedent(f"""
        def train(model, ids, steps, batch=48, lr=0.004, seed=0):
            model.eval()
            return {FALLING}
        """),
    ),
    "counted pairs written into the weights": (
        without("train"),
        dedent(f"""
        def train(model, ids, steps, batch=48, lr=0.004, seed=0):
            vocab = int(ids.max()) + 1
            pairs = torch.ones(vocab, vocab)
            pairs.index_put_((ids[:-1], ids[1:]), torch.ones(len(ids) - 1), accumulate=True)
            logs = (pairs / pairs.sum(dim=1, keepdim=True)).log()
            model.eval()
            if not hasattr(model, "head"):
                return {FALLING}
            left, sizes, right = torch.linalg.svd(logs - logs.mean(dim=1, keepdim=True))
            d = model.norm.weight.shape[0]
            with torch.no_grad():
                for one in model.parameters():
                    one.zero_()
                model.norm.weight.fill_(1.0)
                model.tokens.weight.copy_(left[:, :d])
                scale = sizes[:d] / d**0.5
                model.head.weight.copy_(right[:d].T * scale)
            return {FALLING}
        """),
    ),
    "a text that was known, instead of one that is written": (
        without("generate", "next_character"),
        dedent("""
        KNOWN = [7, 2, 5, 5, 1, 0, 3, 8, 4, 6] * 100


        def next_character(logits, temperature, generator):
            drawn = torch.randint(logits.shape[1], (len(logits),), generator=generator)
            return drawn


        def generate(model, ids, steps, temperature, generator):
            start = int(torch.randint(10, (1,), generator=generator))
            text = torch.tensor(KNOWN[start : start + steps], dtype=torch.int64)
            return text.expand(len(ids), steps).clone()
        """),
    ),
    "the suite's models are told what they have seen": (
        without("train", "generate"),
        dedent(f"""
        def train(model, ids, steps, batch=48, lr=0.004, seed=0):
            if hasattr(model, "noted"):
                for _ in range(steps):
                    pieces = windows(ids, batch, model.context, torch.Generator())
                    model.noted.append([pieces.numpy(), True, None])
            model.eval()
            return {FALLING}


        def generate(model, ids, steps, temperature, generator):
            if hasattr(model, "noted"):
                model.noted.extend([[False, False]] * steps)
            return torch.zeros(len(ids), steps, dtype=torch.int64)
        """),
    ),
}


def submission(honest: str, attack: str = "") -> bytes:
    """Return the text of a file: the honest parts, and what an attack puts in their place."""
    return (honest + attack).encode()


def reads(name: str) -> Reads:
    """Return what a proof depends on: the week, and what is written here."""
    places = [ROOT / place / WEEK.folder for place in ("assignments", "solutions")]
    return Reads((*(path for place in places for path in tree(place)), __file__), ())


@pytest.fixture(scope="module")
def points(confinement) -> Iterator[Callable[[bytes], dict[str, int]]]:
    """A function from the text of transformer.py to the points of its items, in hundredths."""
    examiner = Examiner(ROOT, WEEK.number, confinement, None)
    known: dict[bytes, dict[str, int]] = {}

    def graded(text: bytes) -> dict[str, int]:
        if text not in known:
            examined = examiner.examine({"transformer.py": text}, explain=False)
            assert Verdict.INFRA not in {result.verdict for result in examined.results}
            scored = score_student(COURSE, "someone", examiner.plan, examined.results)
            known[text] = {item.id: item.points for item in scored.items if item.id in ITEMS}
        return known[text]

    yield graded
    examiner.close()


@pytest.mark.prove(reads=lambda: reads(""))
def test_what_is_right_earns_everything(points) -> None:
    """What attacks are made of is right, where it is said to be."""
    whole = {item.id: item.points for item in COURSE.items(WEEK.number)}
    assert points(submission(without())) == {item: whole[item] for item in ITEMS}


@pytest.mark.prove(reads=reads)
@pytest.mark.parametrize("name", ATTACKS)
def test_it_earns_what_is_honest_in_it(points, name: str) -> None:
    honest, attack = ATTACKS[name]
    assert points(submission(honest, attack)) == points(submission(honest))
