"""One property under atheris, which looks for bytes that reach new code: `python guided.py NAME SECONDS CORPUS`.

Exit code 0 where nothing was found in time; else libFuzzer has said what, and left the bytes in the corpus's folder.
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

with atheris.instrument_imports(include=["openapi", "mock_server"]):
    from tests.fuzz.properties import PROPERTIES
    from tests.fuzz.seeds import LONGEST, seeds

SLOWEST = 10  # seconds for one input
MEMORY = 1536  # megabytes


def main() -> None:
    name, seconds, corpus = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(name)):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-timeout={SLOWEST}", f"-rss_limit_mb={MEMORY}"]
    told = [f"-artifact_prefix={corpus.parent}/{name}-", "-print_final_stats=1", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *limits, *told, str(corpus)], PROPERTIES[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
