"""The images of the GAN that the student's `train` trains, and the loop itself (week7.samples).

Networks and loop are the student's. The training images are turned by a secret of this run, so
weights from elsewhere make images that lie on their side. Before the training the generator's
images are noise. Then its weights, and nothing else, go to another sandbox, in which no image has
ever been, and there it gets noise that was drawn here.
"""

from itertools import pairwise

import numpy as np
import pytest

from autograder.suite import expect

from .gan_images import COUNT, CURVE, LATENT, TURNS, gallery, painted, parameters_of, turned

pytestmark = pytest.mark.item("week7.samples")

TRAINED = {"digits": (2_000, 64), "mnist": (4_000, 64)}
"""Steps, and images in each, by the data set."""

M, STEPS, BATCH, L = 54, 40, 9, 5


# The loop


def lesson(student, rng, seeds, steps=STEPS):
    """Train the suite's stand-in for a GAN, once for each seed; return images and what it noted."""
    images = rng.uniform(size=(M, 784)).astype(np.float32)
    given = student.prepare("tensor", images)
    runs = []
    for seed in seeds:
        student.drive("seed", int(rng.integers(2**31)))
        losses = rng.uniform(0.1, 2.0, size=(steps, 2))
        diary = student.prepare("diary", L, losses)
        returned = student.drive("trained", student.gan.train, diary, given, steps, BATCH, seed)
        found = student.drive("gan_diary", diary)
        message = f"expected {steps} calls of train_step, there were {len(found['noise'])}."
        expect.that("train", len(found["noise"]) == steps, message)
        runs.append((found, returned, losses))
    return images, given, runs


def noise_of(found):
    """Return the noise of all steps, (STEPS, 2, BATCH, L)."""
    each = [expect.array("z of a step", one, (2, BATCH, L)) for one in found["noise"]]
    return np.stack(each).astype(float)


def batches_of(found):
    """Return the beginnings of all steps' images, (STEPS, BATCH, 12)."""
    each = [
        expect.array("x of a step, its first pixels", one, (BATCH, 12)) for one in found["images"]
    ]
    return np.stack(each)


def test_noise_of_each_step(student, rng):
    """Each step has new noise."""
    _, _, ((found, _, _),) = lesson(student, rng, [3])
    noise = noise_of(found).reshape(STEPS, -1)
    different = len({row.tobytes() for row in noise})
    expect.that("noise", different == STEPS, f"{STEPS} steps had {different} different ones.")


@pytest.mark.weight(2)
def test_noise_of_each_image(student, rng):
    """Within a step every image of both batches has noise of its own."""
    _, _, ((found, _, _),) = lesson(student, rng, [7])
    for noise in noise_of(found):
        different = len({row.tobytes() for row in noise.reshape(-1, L)})
        expect.that("noise", different == 2 * BATCH, f"{2 * BATCH} images had {different}.")


@pytest.mark.weight(2)
def test_the_noise_is_normal(student, rng):
    """Noise is drawn from the standard normal distribution."""
    _, _, ((found, _, _),) = lesson(student, rng, [8])
    noise = np.unique(noise_of(found))
    powers = [float(np.mean(noise**k)) for k in (1, 2, 4)]
    away = [abs(one - right) for one, right in zip(powers, (0, 1, 3), strict=True)]
    near = all(one < far / np.sqrt(len(noise)) for one, far in zip(away, (6, 9, 60), strict=True))
    told = ", ".join(f"{one:.2f}" for one in powers)
    expect.that("noise", near, f"the means of its first, second and fourth powers are {told}.")


@pytest.mark.weight(2)
def test_batches(student, rng):
    """Each step gets images of those that are given, and others than the last."""
    images, _, ((found, _, _),) = lesson(student, rng, [5])
    batches = batches_of(found)
    known = {row[:12].tobytes() for row in images}
    seen = [row.astype(np.float32).tobytes() for batch in batches for row in batch]
    expect.that("x", set(seen) <= known, "a row is none of the images.")
    message = f"only {len(set(seen))} of {M} images were ever used."
    expect.that("x", len(set(seen)) > 0.9 * M, message)
    repeated = sum(np.array_equal(a, b) for a, b in pairwise(batches))
    expect.that("x", repeated == 0, "steps that follow each other get the same batch.")


def test_modes(student, rng):
    """Both networks are in training mode in each step, and in evaluation mode afterwards."""
    _, _, ((found, _, _),) = lesson(student, rng, [1])
    noise_of(found)
    expect.equal("in training mode, by steps", found["training"], [True] * STEPS)
    expect.equal("in training mode afterwards", found["afterwards"], [False, False])


def test_losses(student, rng):
    """train returns what train_step has returned, step by step."""
    _, _, ((_, returned, losses),) = lesson(student, rng, [2])
    rows = isinstance(returned, (list, tuple)) and len(returned) == STEPS
    kind = expect.kind_of(returned)
    expect.that("train", rows, f"expected a list of {STEPS} pairs, got {kind}.")
    pairs = all(isinstance(one, (list, tuple)) and len(one) == 2 for one in returned)
    expect.that("train", pairs, "what it returns are no pairs.")
    numbers = all(type(number) is float for one in returned for number in one)
    expect.that("train", numbers, "what it returns are no floats.")
    expect.close("losses", np.array([list(one) for one in returned]), losses)


def test_the_seed_decides(student, rng):
    """The same seed gives the same batches and noise; another gives others."""
    _, _, runs = lesson(student, rng, [4, 4, 9], steps=STEPS)
    noise, batches = zip(*((noise_of(one), batches_of(one)) for one, _, _ in runs), strict=True)
    # Which these are is the loop's own affair; here, that the seed and nothing else decides.
    expect.repeated("noise with the same seed", noise[0], noise[1])
    expect.repeated("batches with the same seed", batches[0], batches[1])
    expect.differ("noise with another seed", noise[0], noise[2], "it is the same.")
    expect.differ("batches with another seed", batches[0], batches[2], "they are the same.")


def test_images_are_kept(student, rng):
    """train leaves the images as they are."""
    images, given, ((found, _, _),) = lesson(student, rng, [6])
    noise_of(found)
    expect.unchanged("images", images, student.fetch(given))


# The images


def said_of(found, steps):
    """Return the message on a set of images: it says no more of them than the credit does."""
    full, none = CURVE[0][0], CURVE[-1][0]
    if found.by_heart:
        reached = "They lie nearer to training images than real ones do: they are known by heart."
    elif not found.varied:
        reached = "They are too much alike: their nearest siblings are far nearer than real ones'."
    elif found.distance >= none:
        reached = f"Their distance from real images is at least {none:.0f}."
    elif found.distance <= full:
        reached = f"Their distance from real images is at most {full:.0f}."
    else:
        low = 10 * np.floor(found.distance / 10)
        reached = f"Their distance from real images is {low:.0f} to {low + 10:.0f}."
    return (
        f"Images after {steps} steps, of {found.classes} digits. {reached} Full points from a "
        f"distance of {full:.0f} on, for ten digits."
    )


@pytest.mark.weight(12)
@pytest.mark.training
@pytest.mark.needs("week7.gan_losses", "week7.gan_step")
def test_the_images(student, settings, grade, rng):
    """Trained by your `train`, your generator makes images of ten digits that are new."""
    real = gallery(settings)
    turn = int(rng.integers(1, TURNS))
    steps, size = TRAINED.get(settings.name, TRAINED["digits"])
    z = rng.normal(size=(COUNT, LATENT)).astype(np.float32)
    student.drive("seed", int(rng.integers(2**31)))
    generator, other = student.gan.Generator(LATENT), student.gan.Discriminator()
    parameters_of(student, generator)
    gan = student.gan.GAN(generator, other)
    student.drive("mode", generator, False)
    before = real.measured(painted(student, generator, z, turn))
    message = "before the training it makes images already."
    expect.that("Generator", before.distance > CURVE[-1][0], message)
    images = student.prepare("tensor", turned(real.known, turn))
    student.drive("mode", generator, True)
    losses = student.drive(
        "trained", student.gan.train, gan, images, steps, size, int(rng.integers(2**31))
    )
    weights = parameters_of(student, gan.generator)
    student = student.anew()
    generator = student.gan.Generator(LATENT)
    student.drive("fill", generator, weights)
    student.drive("mode", generator, False)
    found = real.measured(painted(student, generator, z, turn))
    doubts = ["its images lie nearer to training images than real ones do"] * found.by_heart
    rows = losses if isinstance(losses, list) else []
    pairs = [one for one in rows[:steps:20] if isinstance(one, (list, tuple)) and len(one) == 2]
    numbers = [[float(x) for x in one] for one in pairs if all(type(x) is float for x in one)]
    grade(
        found.share,
        said_of(found, steps),
        shown=round(found.share, 1),
        data=settings.name,
        doubts=doubts,
        loss=[round(one[0], 3) for one in numbers if np.isfinite(one).all()],
        loss_of_generator=[round(one[1], 3) for one in numbers if np.isfinite(one).all()],
        distance=[round(found.distance, 2)],
        sibling=[round(found.sibling, 3)],
        nearer=[round(found.nearer, 4)],
        much_nearer=[round(found.much_nearer, 4)],
        classes=[found.classes],
    )
