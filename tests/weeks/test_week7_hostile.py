"""Nothing right earns nothing in week 7's autoencoder: attacks on the bound.

An attack is the solution with another VAE or another `train`. It is asked for the bound alone, as
grading asks: three sandboxes, one after the other.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

import pytest

from autograder import course as courses
from autograder.grading.examiner import Examiner
from autograder.records import FULL_CREDIT, CheckResult, Verdict
from autograder.suite.hidden.sandbox_host import SandboxHost
from tests.conftest import ROOT
from tests.proofs import Reads, tree

pytest.importorskip("torch")

WEEK = courses.load(ROOT).week_called("week7")
BOUND = "test_elbo::test_the_bound"
SOLUTION = (ROOT / "solutions" / WEEK.folder / "vae.py").read_text("utf-8")

NO_TRAINING = """
def train(model, images, steps, batch_size=128, lr=0.001, seed=0):
    return [545.0 * 0.99**step for step in range(steps)]
"""

ATTACKS = {
    "the decoder is shown the images": """
        SEEN = []


        class Shown(VAE):
            def encode(self, x):
                SEEN[:] = [x]
                return torch.zeros(len(x), self.latent), torch.zeros(len(x), self.latent)

            def decode(self, z):
                if SEEN and len(SEEN[0]) == len(z):
                    return 40.0 * SEEN[0] - 20.0
                return super().decode(z)


        VAE = Shown
        """
    + textwrap.indent(NO_TRAINING, " " * 8),
    "the decoder finds the images in a file": """
        LEFT = Path("left.pt")


        class Left(VAE):
            def encode(self, x):
                torch.save(x, LEFT)
                return torch.zeros(len(x), self.latent), torch.zeros(len(x), self.latent)

            def decode(self, z):
                return 40.0 * torch.load(LEFT) - 20.0 if LEFT.exists() else super().decode(z)


        VAE = Left
        """
    + textwrap.indent(NO_TRAINING, " " * 8),
    "the images are packed into the codes": """
        BITS = 22


        class Packed(VAE):
            def encode(self, x):
                bits = x[:, : self.latent * BITS].reshape(len(x), self.latent, BITS).double()
                mu = (bits * 0.5 ** torch.arange(1, BITS + 1)).sum(dim=2).float()
                return mu, torch.full_like(mu, -34.0)

            def decode(self, z):
                whole = (z.double() * 2**BITS).round().long().clamp(0, 2**BITS - 1)
                bits = (whole[:, :, None] >> torch.arange(BITS - 1, -1, -1)) & 1
                known = 40.0 * bits.flatten(1).float() - 20.0
                rest = torch.full((len(z), PIXELS - known.shape[1]), -1.2)
                return torch.cat([known, rest], dim=1)


        VAE = Packed
        """
    + textwrap.indent(NO_TRAINING, " " * 8),
    "one picture for all codes": """
        class Constant(VAE):
            def __init__(self, latent=20, hidden=400):
                super().__init__(latent, hidden)
                self.register_buffer("always", torch.zeros(PIXELS))

            def encode(self, x):
                return torch.zeros(len(x), self.latent), torch.zeros(len(x), self.latent)

            def decode(self, z):
                return self.always.expand(len(z), -1)


        VAE = Constant


        def train(model, images, steps, batch_size=128, lr=0.001, seed=0):
            model.always.copy_(torch.logit(images.mean(dim=0).clamp(0.002, 0.998)))
            return [218.0] * steps
        """,
    "variances beyond all numbers": """
        class Wide(VAE):
            def encode(self, x):
                mu, logvar = super().encode(x)
                return mu, logvar + 1e4


        VAE = Wide
        """,
    "more numbers than allowed": """
        class Large(VAE):
            def __init__(self, latent=20, hidden=400):
                super().__init__(latent, hidden)
                self.register_buffer("images", torch.zeros(3000, PIXELS))


        VAE = Large
        """,
    "losses that fall while nothing is learnt": NO_TRAINING,
    "weights that are no numbers": """
        def train(model, images, steps, batch_size=128, lr=0.001, seed=0):
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.fill_(float("nan"))
            return [100.0] * steps
        """,
}

STORED = """
class Stored(VAE):
    \"\"\"Its weights are the training images; a code names one of them, in eleven bits.\"\"\"

    def __init__(self, latent=20, hidden=400):
        super().__init__(latent, hidden)
        self.register_buffer("stored", torch.zeros(1437, PIXELS))

    def encode(self, x):
        nearest = torch.cdist(x, self.stored).argmin(dim=1)
        bits = (nearest[:, None] >> torch.arange(11)) & 1
        mu = torch.zeros(len(x), self.latent)
        mu[:, :11] = 3.0 * bits - 1.5
        logvar = torch.zeros_like(mu)
        logvar[:, :11] = -2.0
        return mu, logvar

    def decode(self, z):
        number = ((z[:, :11] > 0).long() << torch.arange(11)).sum(dim=1).clamp(max=1436)
        return 5.0 * self.stored[number] - 2.7


VAE = Stored


def train(model, images, steps, batch_size=128, lr=0.001, seed=0):
    model.stored.copy_(images[:1437])
    return [200.0] * steps
"""


def with_attack(text: str) -> dict[str, bytes]:
    """Return a submission: the solution, and behind it what replaces parts of it."""
    solution = SOLUTION.partition('if __name__ == "__main__"')[0]
    return {"vae.py": (solution + textwrap.dedent(text)).encode()}


def reads(name: str = "") -> Reads:
    """Return what a proof depends on: the week, and what is written here."""
    places = [ROOT / place / WEEK.folder for place in ("assignments", "solutions")]
    return Reads((*(path for place in places for path in tree(place)), __file__), ())


@pytest.fixture(scope="module")
def bound(confinement) -> Iterator[Callable[[dict[str, bytes]], CheckResult]]:
    """A function from the files of a submission to what is said of its bound on the digits."""
    examiner = Examiner(ROOT, WEEK.number, confinement, "digits")

    def found(files: dict[str, bytes]) -> CheckResult:
        host = SandboxHost(confinement, files, examiner.limits, ("vae.py",), WEEK.packages)
        try:
            (outcome,) = examiner.session.run(host, only={BOUND})
        finally:
            host.close()
        assert outcome.result.verdict is not Verdict.INFRA
        return outcome.result

    yield found
    examiner.close()


@pytest.mark.prove(reads=reads)
def test_what_is_right_earns_everything(bound) -> None:
    assert bound({"vae.py": SOLUTION.encode()}).credit == FULL_CREDIT


@pytest.mark.prove(reads=reads)
@pytest.mark.parametrize("name", ATTACKS)
def test_it_earns_nothing(bound, name: str) -> None:
    assert bound(with_attack(ATTACKS[name])).credit == 0


@pytest.mark.prove(reads=reads)
def test_stored_images_are_a_poor_model(bound) -> None:
    """Training images in the weights tell something of others, and less than half of it."""
    assert bound(with_attack(STORED)).credit < FULL_CREDIT / 2
