"""The files of the sandbox's web pages: imports have no cycle, nothing is unused, and all files are packaged."""

import posixpath
import re
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import bot.sandbox

ROOT = Path(__file__).parents[3]
SANDBOX = Path(bot.sandbox.__file__).parent
IMPORT = re.compile(r"""^(?:import|export)\s(?:[^;"']*?\bfrom\s)?\s*["']([^"']+)["']""", re.MULTILINE)
REFERENCE = re.compile(r"""<(?:script|link)\b[^>]*?\s(?:src|href)=["']([^"'#:]+)["']""")
IMPORTED_NAMES = re.compile(r"^import \{([^}]*)\}", re.MULTILINE)
EXPORTED_NAME = re.compile(r"^export (?:async )?(?:function|const|class) (\w+)", re.MULTILINE)
IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*")
CLASS_SELECTOR = re.compile(r"\.([a-z][\w-]*)(?=[^{}]*\{)")


def page_folder() -> Path:
    """Return the folder of the page: the folder in the sandbox that holds app.js."""
    (entry,) = SANDBOX.rglob("app.js")
    return entry.parent


def sources(suffix: str) -> dict[str, str]:
    page = page_folder()
    paths = sorted(page.rglob(f"*{suffix}"))
    assert paths, suffix
    return {path.relative_to(page).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def resolved(importer: str, target: str) -> str:
    """Return the path of an imported file in the page, as a browser resolves it: relative, with the suffix."""
    assert target.startswith((".", "/")), f"{importer}: {target} is no path"
    return posixpath.normpath(posixpath.join(posixpath.dirname(importer), target))


def imports() -> dict[str, set[str]]:
    """Return, by module, the modules that it imports."""
    return {name: {resolved(name, target) for target in IMPORT.findall(text)} for name, text in sources(".js").items()}


def code_of(text: str) -> str:
    """Return the text without comments that take a whole line, because a comment may name unused code."""
    return re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE)


def test_imports_form_no_cycle() -> None:
    graph = imports()
    assert len(graph) > 20
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def reached() -> Iterator[str]:
    graph = imports()
    pending = ["index.html", *REFERENCE.findall(sources(".html")["index.html"])]
    seen: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in seen:
            seen.add(name)
            pending.extend(graph.get(name, ()))
            yield name


def test_every_file_is_reachable_from_index_html_and_exists() -> None:
    page = page_folder()
    assert set(reached()) == {path.relative_to(page).as_posix() for path in page.rglob("*") if path.is_file()}


def test_every_import_names_an_export_and_is_used() -> None:
    modules = sources(".js")
    for name, text in modules.items():
        for names, target in re.findall(r'^import \{([^}]*)\} from "([^"]+)"', text, re.MULTILINE):
            for imported in IDENTIFIER.findall(names):
                assert imported in EXPORTED_NAME.findall(modules[resolved(name, target)]), f"{name}: {imported}"
                assert IDENTIFIER.findall(code_of(text)).count(imported) > 1, f"{name}: {imported} is unused"


def test_every_export_is_imported_by_another_module() -> None:
    modules = sources(".js")
    imported = {
        word for text in modules.values() for names in IMPORTED_NAMES.findall(text) for word in names.split(", ")
    }
    exported = {word.strip() for text in modules.values() for word in EXPORTED_NAME.findall(text)}
    assert len(exported) > 40
    assert exported - {word.strip() for word in imported} == set()


def test_every_style_is_used_by_the_markup_or_a_module() -> None:
    users = "\n".join([*sources(".html").values(), *map(code_of, sources(".js").values())])
    used = set(re.findall(r"[a-z][\w-]*", users)) | {f"color-{number}" for number in range(4)}
    for name, text in sources(".css").items():
        selectors = set(CLASS_SELECTOR.findall(re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)))
        assert selectors <= used, f"{name}: {sorted(selectors - used)}"


def test_the_dark_scheme_changes_colors_only() -> None:
    """The tests with axe rely on this: in the dark scheme, they check the rules about colors only."""
    files = "\n".join(text for suffix in (".html", ".js", ".css") for text in sources(suffix).values())
    (dark,) = re.findall(r"@media \(prefers-color-scheme: dark\) \{\s*:root \{([^{}]*)\}\s*\}", files)
    assert files.count("prefers-color-scheme") == 1
    assert "light-dark(" not in files
    for declaration in dark.strip().removesuffix(";").split(";"):
        assert re.fullmatch(r"\s*--[\w-]+: #[0-9a-f]{6}", declaration)


def test_every_folder_holds_at_most_twelve_files() -> None:
    page = page_folder()
    for folder in (page, *(path for path in page.rglob("*") if path.is_dir())):
        assert sum(path.is_file() for path in folder.iterdir()) <= 12, folder.name


def test_every_file_of_the_sandbox_is_packaged() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    packaged = {
        path
        for package, patterns in settings["package-data"].items()
        for pattern in patterns
        for path in ROOT.joinpath(*package.split(".")).glob(pattern)
    }
    files = {path for path in SANDBOX.rglob("*") if path.suffix in {".html", ".js", ".css", ".svg"}}
    assert len(files) > 40
    assert files <= packaged
