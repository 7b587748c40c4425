"""Replays a step of training as one CUDA graph, so that launching its many small kernels takes no time."""

from collections.abc import Callable

import torch
from torch import Tensor

WARM_UP = 3  # usual steps before the capture: libraries and optimizers allocate what they keep


class GraphedStep:
    """A step of training whose first calls run as usual; then it is captured, and every further call replays it.

    What the step reads has to keep its place in memory, so it changes weights, optimizer states and all else in place.
    Its random numbers come from `generator` alone, and go on as they would without a graph.
    """

    def __init__(self, step: Callable[[], dict[str, Tensor]], generator: torch.Generator):
        """`step` returns its terms by name; `generator` lies on the CUDA device that the step computes on."""
        self.step, self.generator = step, generator
        self.stream = torch.cuda.Stream(generator.device)
        self.calls = 0
        self.graph: torch.cuda.CUDAGraph | None = None
        self.terms: dict[str, Tensor] = {}

    def __call__(self) -> dict[str, Tensor]:
        """Take one step; return its terms."""
        self.calls += 1
        if self.calls <= WARM_UP:
            return self._as_usual()
        if self.graph is None:
            self.graph = self._capture()
        self.graph.replay()
        return {name: value.clone() for name, value in self.terms.items()}  # the next replay overwrites them

    def _as_usual(self) -> dict[str, Tensor]:
        here = torch.cuda.current_stream(self.generator.device)
        self.stream.wait_stream(here)
        with torch.cuda.stream(self.stream):
            terms = self.step()
        here.wait_stream(self.stream)
        return terms

    def _capture(self) -> torch.cuda.CUDAGraph:
        """Record the step without computing it."""
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.generator)
        with torch.cuda.graph(graph, stream=self.stream):
            self.terms = self.step()
        return graph
