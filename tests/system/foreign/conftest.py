import pytest


def pytest_addoption(parser):
    parser.addoption("--shout", action="store_true", help="Our own option.")


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.chat)  # whatever else is collected beside our own tests


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
