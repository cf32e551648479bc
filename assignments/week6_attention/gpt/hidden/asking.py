"""How the tests put weights into modules of the student's and ask them."""

import numpy as np

from autograder.suite import expect

from .formulas import BY_TANH, EXACT

NEAR = {"rtol": 1e-4, "atol": 2e-5}


def known(student, module, shapes):
    """Return a module's weights by their names; fail where one lacks or has another shape."""
    found = student.drive("read", module, list(shapes))
    for name, shape in shapes.items():
        expect.that(name, found.get(name) is not None, "there is no such weight.")
        expect.array(name, found[name], shape)
    return found


def fill(student, module, weights):
    """Put weights into a module, in evaluation mode, and expect that it has them."""
    known(student, module, {name: one.shape for name, one in weights.items()})
    student.drive("write", module, weights)
    held = student.drive("read", module, list(weights))
    for name, one in weights.items():
        message = "it does not hold what was written into it."
        expect.that(name, np.array_equal(held[name], one), message)
    student.drive("mode", module, False)


def asked(student, module, shape, *arrays, label="the result"):
    """Return what a module makes of arrays, of the shape that is given."""
    return expect.array(label, student.drive("outputs", module, *arrays), shape)


def near_either(label, received, expected, **near):
    """Expect a result with one of the two forms of GELU, `expected(form)`."""
    near = NEAR | near
    expect.any_of(
        *(lambda f=form: expect.close(label, received, expected(f), **near) for form in FORMS)
    )


FORMS = (EXACT, BY_TANH)


def normal(rng, *shape, scale=1.0):
    """Draw numbers, float32."""
    return rng.normal(scale=scale, size=shape).astype(np.float32)
