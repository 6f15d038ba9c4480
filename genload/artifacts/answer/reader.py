"""JSON that may be large: what stands at some of its paths, and the output that it holds as base64."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from msgspec import structs

from genload.artifacts.answer.encoded import decoded, parted
from genload.artifacts.answer.facts import AnswerError, AnswerFacts
from genload.artifacts.answer.paths import found, there_is
from genload.json_text import read_json

_LONGEST_VALUE = 1 << 20


def read_answer(
    content: bytes | memoryview, paths: Sequence[str], encoded: str, write: Callable[[bytes], object]
) -> AnswerFacts:
    """What is found, and in what form.

    Args:
        encoded: the path to base64, which is decoded and written; "": there is none.

    Raises:
        AnswerError: ``bad_answer``, no JSON.
    """
    try:
        tree = read_json(content)
    except ValueError as error:
        raise AnswerError("bad_answer", f"no JSON: {error}") from error
    values, long = {}, []
    output = found(encoded, tree) if encoded else None
    for path in paths:
        value = found(path, tree)
        if (value is output and isinstance(value, str)) or len(json.dumps(value)) > _LONGEST_VALUE:
            long.append(path)
        else:
            values[path] = value
    facts = AnswerFacts(found=json.dumps(values).encode(), long=long, there=there_is(tree))
    if not isinstance(output, str) or not output:
        return facts
    media_type, begin = parted(output)
    size_bytes = 0
    try:
        for piece in decoded(output, begin):
            size_bytes += len(piece)
            write(piece)
    except ValueError as error:
        return structs.replace(facts, bad_base64=str(error))
    return structs.replace(facts, decoded_bytes=size_bytes, media_type=media_type)
