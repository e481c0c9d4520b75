"""What several journeys need."""

from collections.abc import Iterator

import pytest

from tests.servers.model import ModelServer, model_server


@pytest.fixture
def slow() -> Iterator[ModelServer]:
    """A model that answers as the builder would, as late as a test wants."""
    with model_server() as model:
        yield model
