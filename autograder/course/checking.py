"""What models are made with: pydantic, of which the course's room uses no more than this.

A students' tree has author/release_files/checking.py in its place, which needs no pydantic: its
files were checked when the tree was made.
"""

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

__all__ = [
    "AfterValidator",
    "BaseModel",
    "BeforeValidator",
    "ConfigDict",
    "Field",
    "ValidationError",
    "field_validator",
    "model_validator",
]
