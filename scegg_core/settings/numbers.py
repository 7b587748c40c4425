"""Ranges of numbers in settings. Each has two ends: far beyond what is of use, and short of what overflows."""

from typing import Annotated

from pydantic import Field

Count = Annotated[int, Field(ge=1, le=1_000_000)]
CountFrom0 = Annotated[int, Field(ge=0, le=1_000_000)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Rate = Annotated[float, Field(gt=0, le=10)]
Weight = Annotated[float, Field(ge=0, le=1_000_000)]
Scale = Annotated[float, Field(gt=0, le=1_000_000)]
