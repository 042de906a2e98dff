"""A script: what a mock answers to which request, in the user's own words (YAML).

when     which requests a rule is for, and why it is not for another
rule     one rule, the script, and whose turn it is
reading  YAML → Script, each mistake told with its place
"""

from mock_server.script.reading import ScriptError, read
from mock_server.script.rule import Play, Script

__all__ = ["Play", "Script", "ScriptError", "read"]
