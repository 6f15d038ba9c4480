"""The command line of genai-bench's text-to-speech task, which is built on Locust, too."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

_COMMAND = os.environ.get("GENAI_BENCH", "genai-bench")


def is_there() -> bool:
    """Whether it is on the PATH, or named by GENAI_BENCH."""
    return shutil.which(_COMMAND) is not None


def command(host: str, folder: Path, users: int) -> list[str]:
    """Texts of 50 characters by so many users, for up to ten minutes."""
    tokenizer = folder / "tokenizer"
    tokenizer.mkdir()
    words = {"type": "WordLevel", "vocab": {"[UNK]": 0, "a": 1}, "unk_token": "[UNK]"}
    whole = {"version": "1.0", "added_tokens": [], "pre_tokenizer": {"type": "Whitespace"}, "model": words}
    (tokenizer / "tokenizer.json").write_text(json.dumps(whole))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": "[UNK]"}
    (tokenizer / "tokenizer_config.json").write_text(json.dumps(config))
    # Its options are checked in their order: the backend before the task.
    run = [_COMMAND, "benchmark", "--api-backend", "openai", "--api-base", host, "--api-key", "none"]
    run += ["--task", "text-to-speech", "--api-model-name", "speech", "--model-tokenizer", str(tokenizer)]
    run += ["--traffic-scenario", "A(50)", "--num-concurrency", str(users), "--max-time-per-run", "10"]
    run += ["--max-requests-per-run", "10000000"]
    return [*run, "--experiment-base-dir", str(folder), "--log-dir", str(folder)]
