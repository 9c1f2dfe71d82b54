from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import Provider, Signalbox, upstreams


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    process = Provider(tmp_path_factory.mktemp("provider"))
    yield process
    process.kill()


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Signalbox]:
    """One Signalbox for every test that doesn't need its own."""
    signalbox = Signalbox(tmp_path_factory.mktemp("box"), upstreams(provider))
    yield signalbox
    status = signalbox.stop()
    assert status == 0, signalbox.text()
    assert "panicked" not in signalbox.text(), signalbox.text()
