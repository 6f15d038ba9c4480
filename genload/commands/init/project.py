"""The files of a new project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from genload.errors import UsageError
from genload.extensions import Wings, builtin_folder
from genload.settings.loader import load_suite

_FILES = Path(__file__).parent / "files"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_SERVICE = re.compile(r"^service:\n(?:[ #].*\n|\n)+", re.MULTILINE)
_DIALECT = re.compile(r"^ +dialect: (\w+)$", re.MULTILINE)
_FILLED = re.compile(r"@([a-z]+)@")


class Project:
    """What a project of this name holds.

    Args:
        start_from: the built-in suite that its own one extends; None: one is made to be filled in.

    Raises:
        UsageError: a name that no suite can have.
        ConfigError: no such built-in suite.
    """

    def __init__(self, name: str, start_from: str | None) -> None:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"'{name}' cannot name a suite", remedy="use letters, digits, _ . and -: genload init mine"
            )
        self._name, self._from = name, start_from
        if start_from is None:
            self._suite = _text("suite.yaml", name=name)
            self._serve = "genload serve --api job --time-scale 0.02"
            self._run = f"genload run {name} --time-scale 0.02"
        else:
            folders = [builtin_folder("config") / "suites"]
            base = load_suite(start_from, folders=folders, wings=Wings())
            told = _SERVICE.search(base.path.read_text(encoding="utf-8"))
            self._suite = _text(
                "extending.yaml",
                name=name,
                base=start_from,
                host=base.suite.service.host,
                service=_commented(told[0]) + _dialect_of(told[0]) if told else "",
            )
            self._serve, self._run = "", f"genload run {name}"

    @property
    def next_commands(self) -> list[str]:
        """What to do first with it."""
        if self._from is None:
            return [f"{self._serve} & {self._run}"]
        return [f"genload try {self._name}"]

    def lay_out(self, folder: Path) -> Iterator[tuple[Path, bool]]:
        """Write the files, each told with whether it is new; those that are there already are kept.

        Raises:
            UsageError: the suite is there already, or nothing can be written there.
        """
        suite = folder / "config" / "suites" / f"{self._name}.yaml"
        if suite.exists():
            raise UsageError(f"{suite} is there already", remedy="choose another name, or change that suite")
        files = {
            suite: self._suite,
            folder / ".gitignore": _text("gitignore"),
            folder / ".github" / "workflows" / "load-test.yml": self._workflow(),
            folder / "README.md": _text("readme.md", name=self._name, commands=self._commands()),
        }
        for path, text in files.items():
            yield path, _written(path, text)

    def _commands(self) -> str:
        serve = f"{self._serve} &    # a stand-in for your service\n" if self._serve else ""
        return f"{serve}genload try {self._name}\n{self._run}"

    def _workflow(self) -> str:
        if self._serve:
            return _text("workflow.yml", name=self._name, serve=f"{self._serve} &", run=self._run)
        where = "--host ${{ vars.GENLOAD_HOST }}"
        return _text("workflow.yml", name=self._name, serve="true", run=f"{self._run} {where}")


def _commented(text: str) -> str:
    return "".join(f"# {line}".rstrip() + "\n" for line in text.splitlines())


def _dialect_of(service: str) -> str:
    """The description of a speech service by its name, to be written out where something of it is others."""
    named = _DIALECT.search(service)
    if named is None:
        return ""
    text = (builtin_folder("config") / "dialects" / f"{named[1]}.yaml").read_text(encoding="utf-8")
    name = named[1]
    heading = f"# What the dialect {name} is; what differs is said as dialect: {{extends: {name}, …}}:"
    return f"\n{heading}\n#\n{_commented(text)}"


def _text(file: str, **values: str) -> str:
    """A file with its names filled in: ``@name@``, for every other mark means something in YAML or in CI."""
    return _FILLED.sub(lambda found: values[found[1]], (_FILES / file).read_text(encoding="utf-8"))


def _written(path: Path, text: str) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return False
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}", remedy="choose another folder"
        ) from error
    return True
