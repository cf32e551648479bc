import pytest
from autograder.sandbox.choose import choose
@pytest.fixture(scope="session")
def confinement():
    return choose()
