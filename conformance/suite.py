"""Where pytest finds the suite: `pytest --pyargs conformance --relay-base-url URL` collects it here.

There is nothing in this file: `conformance.pytest_plugin` makes its items, one for each rule and probe.
"""
