"""The contract: what is legal on the wire of an AI relay.

``document`` reads the OpenAPI files beside this module, ``schema`` holds an instance against one of their schemas,
``wire`` turns bytes into values. This package imports nothing else of the project.
"""
