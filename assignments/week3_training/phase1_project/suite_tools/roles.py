"""Which layer of a student's block or network is which, whatever they are called there.

Our names are those of the stub's docstrings: conv1, bn1, conv2, bn2, shortcut.0, shortcut.1 in a
block, and conv1, bn1, layer1.0 to layer4.1, fc in the network. Students have others for the same
layers. What tells them apart is what they are, and the order in which they were made.
"""

from typing import Any

from autograder.suite import expect

Layer = dict[str, Any]
KINDS = {"conv": "nn.Conv2d", "norm": "BatchNorm2d", "block": "BasicBlock", "linear": "nn.Linear"}


def layers_of(student: Any, module: Any) -> list[Layer]:
    """Return the layers of a block or network, in the order in which they were made."""
    found = student.drive("layers", module)
    fine = type(found) is list and all(
        type(one) is dict and type(one.get("name")) is str and one.get("kind") in KINDS
        for one in found
    )
    expect.that("layers", fine, "they can't be listed.")
    return found


def names_of(found: list[Layer], wanted: dict[str, Any]) -> dict[str, str]:
    """Return what each of our parameters and buffers is called in the student's module.

    `wanted` has our names. Fails where the module has other layers than those.
    """
    places = {name.rpartition(".")[0] for name in wanted}
    names = network_places(found) if "fc" in places else block_places(found, "")
    missing = sorted(places - set(names))
    message = (
        f"there is none for {', '.join(missing[:4])}. Your module has "
        f"{', '.join(f'{count} {kind}' for kind, count in counts(found).items()) or 'no layers'}."
    )
    expect.that("layers", not missing, message)
    return {name: f"{names[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}" for name in wanted}


def counts(found: list[Layer]) -> dict[str, int]:
    """Return how many layers of each kind there are, by what the kinds are called."""
    kinds = [one["kind"] for one in found]
    return {name: kinds.count(kind) for kind, name in KINDS.items() if kind in kinds}


def inside(found: list[Layer], prefix: str, kind: str) -> list[Layer]:
    """Return the layers of a kind whose names begin with `prefix`."""
    return [one for one in found if one["kind"] == kind and one["name"].startswith(prefix)]


def shortcut_of(found: list[Layer], prefix: str) -> list[Layer]:
    """Return the convolutions of a block's shortcut: those of size 1 x 1."""
    convolutions = inside(found, prefix, "conv")
    return [one for one in convolutions if one.get("kernel") == [1, 1]]


def main_way_of(found: list[Layer], prefix: str) -> list[Layer]:
    """Return the convolutions of a block that are not of its shortcut."""
    past = shortcut_of(found, prefix)
    return [one for one in inside(found, prefix, "conv") if one not in past]


def block_places(found: list[Layer], prefix: str) -> dict[str, str]:
    """Return what a block's layers are called, by our names for them."""
    norms = [one["name"] for one in inside(found, prefix, "norm")]
    names = {}
    past = [one["name"] for one in shortcut_of(found, prefix)][:1]
    if past and len(norms) > 2:
        home = past[0].rpartition(".")[0]
        near = [name for name in norms if name.rpartition(".")[0] == home]
        beside = near if home and f"{home}." != prefix else []
        names = {"shortcut.1": (beside or norms)[-1]}
        norms.remove(names["shortcut.1"])
    names |= dict(zip(("shortcut.0",), past, strict=False))
    ways = [one["name"] for one in main_way_of(found, prefix)]
    names |= dict(zip(("conv1", "conv2"), ways, strict=False))
    return names | dict(zip(("bn1", "bn2"), norms, strict=False))


def network_places(found: list[Layer]) -> dict[str, str]:
    """Return what a network's layers are called, those inside its blocks too."""
    blocks = [one["name"] for one in found if one["kind"] == "block"]
    names = {}
    for number, place in enumerate(blocks):
        ours = f"layer{number // 2 + 1}.{number % 2}"
        names[ours] = place
        layers = block_places(found, f"{place}.")
        names |= {f"{ours}.{layer}": name for layer, name in layers.items()}
    outside = outside_blocks(found)
    for kind, ours in (("conv", "conv1"), ("norm", "bn1"), ("linear", "fc")):
        found_there = [one["name"] for one in outside if one["kind"] == kind]
        names |= dict(zip((ours,), found_there, strict=False))
    return names


def outside_blocks(found: list[Layer]) -> list[Layer]:
    """Return the layers of a network that lie in none of its blocks, and are none."""
    blocks = tuple(f"{one['name']}." for one in found if one["kind"] == "block")
    return [one for one in found if one["kind"] != "block" and not one["name"].startswith(blocks)]
