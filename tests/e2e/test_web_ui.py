"""The web UI in a real browser: a scenario chosen from the form, run, judged; and what the form may
not do.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from ..busy_machine import VALIDITY
from ..listening import listening_port
from .conftest import WAIT_MS

pytestmark = pytest.mark.processes

LOCUSTFILE = Path(__file__).resolve().parents[2] / "locustfiles" / "generation3d.py"
# The second run begins only when the page has asked how it goes.
SLOW = f"""
import flask, gevent.event
from locust import events
from genload.harness.run import Run
exec(compile(open({str(LOCUSTFILE)!r}).read(), "generation3d.py", "exec"))
start, begun, asked = Run.start, [], gevent.event.Event()
def slowly(self):
    if begun:
        asked.clear()
        asked.wait(30)
    begun.append(self)
    start(self)
Run.start = slowly
@events.init.add_listener
def watch_the_page(web_ui, **_):
    @web_ui.app.after_request
    def note(answer):
        if flask.request.path == "/stats/requests":
            asked.set()
        return answer
"""


@contextmanager
def served_web_ui(
    folder: Path,
    host: str,
    *options: str,
    scenario: tuple[str, ...] = ("--scenario", "demo/spike"),
    locustfile: Path = LOCUSTFILE,
    of_master: bool = False,
) -> Iterator[str]:
    """The address of a web UI that was started with a scenario; results go to folder/results.

    Args:
        of_master: it is that of a master, which has one worker.
    """
    command = [sys.executable, "-m", "locust", "-f", str(locustfile), "-H", host, "--web-port", "0"]
    command += [*scenario, "--time-scale", "0.01", "--results", str(folder / "results"), *options]
    command += ["--master", "--master-bind-port", "0"] * of_master
    processes = []

    def start(words: list[str]) -> subprocess.Popen[bytes]:
        with (folder / "web-ui.log").open("ab") as output:
            processes.append(
                subprocess.Popen(
                    words, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
                )
            )
        return processes[-1]

    process = start(command)
    try:
        # A master listens to its workers first.
        url = f"http://127.0.0.1:{listening_port(process, int(of_master))}"
        if of_master:
            port = str(listening_port(process))
            start([*command[:5], "--worker", "--master-port", port])
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except urllib.error.HTTPError:  # it answers, if only under a path prefix
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < deadline, "the web UI did not come up"
                time.sleep(0.1)
        yield url
        process.terminate()
        for each in processes:
            each.wait(60)
    finally:
        for each in processes:
            each.kill()
            each.wait()
        print((folder / "web-ui.log").read_text())  # shown with a test that fails


@pytest.fixture
def web_ui(testbed: Callable[..., Any], brisk: tuple[str, str], tmp_path: Path) -> Iterator[str]:
    """A web UI beside a testbed."""
    server = testbed(service_time="82s", slots=20, time_scale="0.01", seed=1)
    with served_web_ui(tmp_path, server.url, *brisk) as url:
        yield url


@pytest.fixture(scope="module")
def idle_web_ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A web UI in which no run ever begins, and its folder: what it refuses needs no service."""
    folder = tmp_path_factory.mktemp("web-ui")
    with served_web_ui(folder, "http://127.0.0.1:1") as url:
        yield url, folder


def post(url: str, **fields: str) -> dict[str, Any]:
    data = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(f"{url}/swarm", data=data, timeout=30) as answer:  # noqa: S310  our own URL
        document: dict[str, Any] = json.load(answer)
    return document


@contextmanager
def opened(url: str, browser: Browser) -> Iterator[Page]:
    """The page, when it knows the run's state: that would put a run begun before it back to the form."""
    with page_of(browser) as page:
        with page.expect_response("**/stats/requests"):
            page.goto(url)
        try:
            yield page
        finally:
            print(page.locator("body").inner_text())  # shown with a test that fails


@contextmanager
def page_of(browser: Browser) -> Iterator[Page]:
    """A page that knows nothing of the others."""
    with browser.new_context() as context:
        context.set_default_timeout(WAIT_MS)
        yield context.new_page()


def test_a_scenario_is_chosen_in_the_form_and_judged(web_ui: str, browser: Browser, tmp_path: Path) -> None:
    with opened(web_ui, browser) as page:
        page.get_by_text("Custom parameters").click()
        choice = page.locator("select[name=scenario]")
        names = choice.locator("option").all_text_contents()
        assert {"demo/baseline", "demo/spike", "orfeas/sustained"} <= set(names)
        assert choice.input_value() == "demo/spike"
        choice.select_option("demo/baseline")
        page.get_by_role("button", name="Start").click()
        page.get_by_text("generate", exact=True).first.wait_for()
        page.get_by_role("link", name="Scenario").click()
        page.get_by_role("heading", name="demo/baseline").wait_for()
        page.locator("#criteria", has_text="all_completed").wait_for()
        page.locator("#finished", has_text="demo/baseline").wait_for()
        page.locator("#charts figure", has_text="server.memory").wait_for()
        page.get_by_role("link", name="report").click()
        page.get_by_role("heading", name="demo").first.wait_for()
        assert re.match(r"demo: [A-Z]+$", page.title())
    results = tmp_path / "results"
    deadline = time.monotonic() + 60
    while not list(results.glob("*/results_baseline.json")):
        assert time.monotonic() < deadline, "the run left no report"
        time.sleep(0.2)
    (report,) = results.glob("*/results_baseline.json")
    document = json.loads(report.read_text())
    assert (document["scenario"], document["successful_requests"]) == ("baseline", 5)


def test_the_scenario_page_of_a_master_shows_what_its_worker_does(
    testbed: Callable[..., Any], brisk: tuple[str, str], browser: Browser, tmp_path: Path
) -> None:
    server = testbed(service_time="82s", slots=20, time_scale="0.01", seed=1)
    with served_web_ui(tmp_path, server.url, *brisk, of_master=True) as url, page_of(browser) as page:
        deadline = time.monotonic() + 60
        while not page.request.get(f"{url}/stats/requests").json().get("workers"):
            assert time.monotonic() < deadline, "the worker did not come"
            time.sleep(0.1)
        page.goto(f"{url}/scenario")
        page.get_by_role("button", name="Start").click()
        page.locator("#finished", has_text="demo/spike").wait_for()
        page.locator("#charts figure", has_text="server.memory").wait_for()
        page.get_by_role("link", name="report").click()
        page.get_by_role("heading", name="demo").first.wait_for()
    (path,) = (tmp_path / "results").glob("*/results_spike.json")
    assert json.loads(path.read_text())["total_requests"] == len(server.truth_records()) - 1, "one warmed up"


SEARCH = f"""
validity: {VALIDITY}
service: {{api: orfeas, timeout: 3000s, poll: {{interval: 2s}}}}
locustfile: generation3d
monitors: {{}}
watch_idle: 0s
scenarios:
  search:
    capacity: {{of: users, to: 2, drain: true, step: {{settle: 10s, measure: 60s}}, holds: [none_failed]}}
    warmup: {{jobs: 0}}
    failure_pause: 1s
    criteria: {{none_failed: generate.failed == 0}}
"""


def test_a_capacity_is_looked_for_from_the_page_which_shows_its_levels_and_its_answer(
    testbed: Callable[..., Any], browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "own.yaml").write_text(SEARCH)
    server = testbed(service_time="20s", slots=1, when_full="refuse", time_scale="0.01")
    scenario = ("--scenario", "own.yaml/search")
    with served_web_ui(tmp_path, server.url, scenario=scenario) as url, page_of(browser) as page:
        page.goto(f"{url}/scenario")
        page.get_by_role("button", name="Start").click()
        page.locator("#stage", has_text=re.compile(r"^level \d, \d users? \(so far: ")).wait_for()
        page.locator("#finished", has_text="own/search").wait_for()
        shown = page.locator("#finished").inner_text()
        page.get_by_role("link", name="report").wait_for()
    (path,) = (tmp_path / "results").glob("*/results_search.json")
    found = json.loads(path.read_text())["capacity"]
    assert found["highest_observed"] >= 1, "a slot refuses nobody of one user"
    assert found["sentence"] in shown


LOGIN = f"""
from flask import redirect
from flask_login import UserMixin, login_user
from locust import events
exec(compile(open({str(LOCUSTFILE)!r}).read(), "generation3d.py", "exec"))
class Someone(UserMixin):
    id = "me"
@events.init.add_listener
def let_in(web_ui, **_):
    web_ui.app.secret_key = "of a test"
    web_ui.login_manager.user_loader(lambda name: Someone())
    @web_ui.app.route("/load/let-me-in")
    def let_me_in():
        login_user(Someone())
        return redirect("/load/scenario")
"""


def test_the_scenario_page_is_behind_the_login_and_the_path_prefix_and_starts_runs(
    browser: Browser, tmp_path: Path
) -> None:
    locustfile = tmp_path / "login.py"
    locustfile.write_text(LOGIN)
    options = ("--web-login", "--web-base-path", "/load")
    with (
        served_web_ui(tmp_path, "http://127.0.0.1:1", *options, locustfile=locustfile) as url,
        page_of(browser) as page,
    ):
        for path in ("scenario", "scenario/state", "scenario/scenario.js", "scenario/report/0"):
            answer = page.request.get(f"{url}/load/{path}", max_redirects=0)
            assert answer.status in (302, 401), path
        page.goto(f"{url}/load/let-me-in")
        assert page.url == f"{url}/load/scenario"
        choice = page.locator("select[name=scenario]")
        choice.locator("option", has_text="orfeas/spike").wait_for(state="attached")
        assert choice.input_value() == "demo/spike"
        page.get_by_role("button", name="Start").click()
        page.get_by_text("no one listens at http://127.0.0.1:1").wait_for()
        assert page.request.get(f"{url}/load/scenario/report/0").status == 404
        page.get_by_role("link", name="Locust").click()
        page.get_by_role("link", name="The page of genload's scenarios").click()
        page.get_by_role("button", name="Start").wait_for()


def test_without_a_scenario_the_page_has_the_list_and_waits_for_a_choice(
    testbed: Callable[..., Any], brisk: tuple[str, str], tmp_path: Path
) -> None:
    server = testbed(service_time="82s", slots=20, time_scale="0.01", seed=1)
    with served_web_ui(tmp_path, server.url, *brisk, scenario=()) as url:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310  our own URL
            page = answer.read().decode()
        (choices,) = re.findall(r'"scenario": \{"choices": \[(.*?)\]', page)
        assert choices.startswith('"", ') and '"demo/baseline"' in choices and '"orfeas/spike"' in choices
        refused = post(url, scenario="", time_scale="0.01")
        assert (refused["success"], refused["message"].partition(",")[0]) == (
            False,
            "choose a scenario first",
        )
        assert post(url, scenario="demo/baseline", time_scale="0.01")["success"]
        deadline = time.monotonic() + 60
        while not list((tmp_path / "results").glob("*/results_baseline.json")):
            assert time.monotonic() < deadline, "the run left no report"
            time.sleep(0.1)


@pytest.mark.parametrize("options", [("--headless",), ("--autostart", "--web-port", "0")])
def test_where_nobody_can_choose_the_scenarios_are_listed(options: tuple[str, ...], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 2
    assert "which scenario?" in done.stderr and "  orfeas/spike\n" in done.stderr


def test_the_page_stays_with_a_run_that_begins_slowly(
    testbed: Callable[..., Any],
    brisk: tuple[str, str],
    browser: Browser,
    tmp_path: Path,
) -> None:
    server = testbed(service_time="82s", slots=20, time_scale="0.01", seed=1)
    slow = tmp_path / "slow.py"
    slow.write_text(SLOW)
    with served_web_ui(tmp_path, server.url, *brisk, locustfile=slow) as url:
        assert post(url, scenario="demo/baseline", time_scale="0.01")["success"]
        deadline = time.monotonic() + 60
        while not list((tmp_path / "results").glob("*/results_*.json")):
            assert time.monotonic() < deadline, "the run left no report"
            time.sleep(0.2)
        # Of a second run the page sees at once that something has changed: the first one's figures are gone.
        with opened(url, browser) as page:
            page.get_by_role("button", name="New").click()
            with page.expect_response("**/stats/requests") as told:
                page.get_by_role("button", name="Start").last.click()
            assert told.value.json()["state"] == "spawning"
            page.get_by_role("button", name="Stop").click()


def test_who_types_a_host_where_nothing_listens_reads_so_in_the_page(
    idle_web_ui: tuple[str, Path], browser: Browser
) -> None:
    with opened(idle_web_ui[0], browser) as page:
        page.locator("input[name=host]").fill("http://127.0.0.1:2")
        page.get_by_role("button", name="Start").click()
        page.get_by_text("no one listens at http://127.0.0.1:2").wait_for()
        page.get_by_text("start the service, or correct the host").wait_for()


def test_two_runs_of_one_process_are_two_runs(web_ui: str, tmp_path: Path) -> None:
    results = tmp_path / "results"
    for number in (1, 2):
        deadline = time.monotonic() + 60
        while not post(web_ui, scenario="demo/baseline", time_scale="0.01")["success"]:
            assert time.monotonic() < deadline, "the next run was never accepted"
            time.sleep(0.2)
        # A start in the middle is refused and changes nothing.
        second = post(web_ui, scenario="demo/spike", time_scale="0.01")
        assert second == {"success": False, "message": "a run is under way: stop it first"}
        while len(list(results.glob("*/results_*.json"))) < number:
            assert time.monotonic() < deadline, "the run left no report"
            time.sleep(0.2)
    reports = list(results.glob("*/results_*.json"))
    assert [path.name for path in reports] == ["results_baseline.json"] * 2
    for report in reports:
        assert json.loads(report.read_text())["successful_requests"] == 5


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"scenario": "demo/spike", "html_file": "written.html"}, "html_file"),
        ({"scenario": "demo/nothing"}, "demo/nothing"),
        ({"scenario": "../../elsewhere.yaml/one"}, "no scenario"),
        ({"scenario": "demo/spike", "time_scale": "-1"}, "--time-scale"),
        ({"scenario": "demo/spike", "time_scale": "soon"}, "no number"),
        ({"scenario": "demo/spike", "host": "gpu1:5000"}, "write it as in http://"),
        ({"scenario": "demo/spike", "host": "http://127.0.0.1:1"}, "no one listens at http://127.0.0.1:1"),
    ],
)
def test_the_form_may_not(idle_web_ui: tuple[str, Path], fields: dict[str, str], reason: str) -> None:
    url, folder = idle_web_ui
    answer = post(url, **fields)
    assert answer["success"] is False
    assert reason in answer["message"]
    assert not (folder / "results").exists()
