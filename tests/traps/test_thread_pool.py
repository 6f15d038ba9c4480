"""A patched lock shared between gevent's threads and the loop hangs every user for good: none is shared."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    path for room in ("genload", "services", "locustfiles", "shapes") for path in (ROOT / room).rglob("*.py")
]
TIMEOUT_S = 60

# Both sides hot: the loop logs without a pause while the pool writes.
PROGRAM = """
from gevent import monkey
monkey.patch_all()
import logging, sys
from pathlib import Path
import gevent
from genload.runlog import failures

folder = Path(sys.argv[1])
logging.basicConfig(filename=folder / "log", level=logging.INFO)
store = failures.FailureStore(folder, print)

def talk():
    while True:
        logging.info("the loop is alive")
        gevent.sleep(0)

def work(number):
    for k in range(15):
        content = bytes([number, k]) * 300_000
        name = f"class{number}-{k}"
        store.keep(failures.FailedOutput(
            error_class=name, request_id="r", name="m.stl", size_bytes=len(content), content=content))

talking = [gevent.spawn(talk) for _ in range(3)]
gevent.joinall([gevent.spawn(work, number) for number in range(6)], raise_error=True)
store.close()
gevent.killall(talking)
print(len(list(folder.glob("failures/*/1-r.stl"))), (folder / "log").stat().st_size > 0)
"""


@pytest.mark.processes
def test_pool_and_loop_run_hot_side_by_side(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    done = subprocess.run(command, text=True, capture_output=True, timeout=TIMEOUT_S, cwd=ROOT)
    assert (done.stdout, done.stderr) == ("90 True\n", "")


CALLS_OF_THE_SYSTEM = {"os.close"}


def pool_functions() -> dict[str, ast.FunctionDef]:
    """What is handed to a thread pool anywhere, by file and name: functions of the same module. A call of the
    system shares nothing."""
    found = {}
    for path in FILES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and "threadpool." in ast.unparse(node.func):
                name = ast.unparse(node.args[0])
                if name not in CALLS_OF_THE_SYSTEM:
                    found[f"{path.name}:{name}"] = functions[name]
    return found


def test_what_is_handed_to_a_thread_pool_shares_nothing() -> None:
    functions = pool_functions()
    assert {"failures.py:_write"} <= functions.keys()
    for name, function in functions.items():
        used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        assert not used & {"logger", "logging", "print", "self", "gevent", "threading"}, name
