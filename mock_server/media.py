"""Videos that the mock itself serves, so that the link of an answer that it made leads somewhere.

Every one is the same second of blue, to whoever asks, key or none: those who play a link have nothing but the link.
"""

import base64
import re

from mock_server.answer import Answer, Asked, Frame
from mock_server.asking import header
from openapi.wire.exchange import Headers

PATH = "/__relay__/media/"
ELSEWHERE = "https://media.example/"  # where a request does not say under which name it found us
HOST = re.compile(r"[\w.:\[\]-]+", re.ASCII)
NAME = re.compile(re.escape(PATH) + r"[\w-]+\.mp4", re.ASCII)
RANGE = re.compile(r"bytes=(\d{0,9})-(\d{0,9})")
TYPE = ("content-type", "video/mp4")

# 16 by 16 points, one frame of H.264.
MOVIE = base64.b64decode(
    "AAAAIGZ0eXBpc29tAAACAGlzb21pc28yYXZjMW1wNDEAAALwbW9vdgAAAGxtdmhkAAAAAAAAAAAAAAAAAAAD6AAAA+gAAQAAAQAAAAAAAAAAAAAA"
    "AAEAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAgAAAj90cmFrAAAAXHRraGQAAAAD"
    "AAAAAAAAAAAAAAABAAAAAAAAA+gAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAABAAAAAABAAAAAQAAAAAAAk"
    "ZWR0cwAAABxlbHN0AAAAAAAAAAEAAAPoAAAAAAABAAAAAAG3bWRpYQAAACBtZGhkAAAAAAAAAAAAAAAAAABAAAAAQABVxAAAAAAALWhkbHIAAAAA"
    "AAAAAHZpZGUAAAAAAAAAAAAAAABWaWRlb0hhbmRsZXIAAAABYm1pbmYAAAAUdm1oZAAAAAEAAAAAAAAAAAAAACRkaW5mAAAAHGRyZWYAAAAAAAAA"
    "AQAAAAx1cmwgAAAAAQAAASJzdGJsAAAAvnN0c2QAAAAAAAAAAQAAAK5hdmMxAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAABAAEABIAAAASAAAAAAA"
    "AAABDExhdmMgbGlieDI2NAAAAAAAAAAAAAAAAAAAAAAAAAAAGP//AAAANGF2Y0MBZAAK/+EAF2dkAAqs2V7ARAAAAwAEAAADAAg8SJZYAQAGaOvj"
    "yyLA/fj4AAAAABBwYXNwAAAAAQAAAAEAAAAUYnRydAAAAAAAAADIAAAAAAAAABhzdHRzAAAAAAAAAAEAAAABAABAAAAAABxzdHNjAAAAAAAAAAEA"
    "AAABAAAAAQAAAAEAAAAUc3RzegAAAAAAAAAZAAAAAQAAABRzdGNvAAAAAAAAAAEAAAMgAAAAPXVkdGEAAAA1bWV0YQAAAAAAAAAhaGRscgAAAAAA"
    "AAAAbWRpcmFwcGwAAAAAAAAAAAAAAAAIaWxzdAAAAAhmcmVlAAAAIW1kYXQAAAAVZYiEABX//uzPfgU1dOwvyzSHU+Xv"
)


def link(headers: Headers, name: str) -> str:
    """The URL of a video, under the name by which the client found us."""
    host = header(headers, "host") or ""
    return f"http://{host}{PATH}{name}.mp4" if HOST.fullmatch(host) else f"{ELSEWHERE}{name}.mp4"


def answer(asked: Asked) -> Answer | None:
    """The video, or the part of it that was asked for (RFC 9110 section 14.2); None for what is no video of ours."""
    path = asked.path.partition("?")[0]
    if asked.method not in {"GET", "HEAD"} or not NAME.fullmatch(path):
        return None
    wanted = RANGE.fullmatch(header(asked.headers, "range") or "")
    if not wanted or not any(wanted.groups()):
        return _part(200, MOVIE)
    first, last = _ends(wanted[1], wanted[2])
    if first > last or first >= len(MOVIE):
        return _part(416, b"", f"bytes */{len(MOVIE)}")
    return _part(206, MOVIE[first : last + 1], f"bytes {first}-{last}/{len(MOVIE)}")


def _ends(first: str, last: str) -> tuple[int, int]:
    """The first and the last byte; without a first, so many at the end."""
    end = len(MOVIE) - 1
    if not first:
        return max(len(MOVIE) - int(last), 0), end
    return int(first), min(int(last), end) if last else end


def _part(status: int, data: bytes, place: str | None = None) -> Answer:
    fields = (TYPE, ("accept-ranges", "bytes"), *((("content-range", place),) if place else ()))
    return Answer(status, fields, (Frame(0.0, data),), recorded="media")  # as it is: a part is not compressed
