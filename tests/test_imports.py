"""What import-linter cannot say: a package is entered by its face, and nobody takes another's `_name`."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("gateway", "devices", "simulators", "dashboards", "textfile")
SHELVES = {
    *("gateway", "gateway.sources", "gateway.sinks", "gateway.cli", "simulators", "dashboards"),
    *(
        "devices",
        "devices.spec",
        "devices.davis",
        "devices.bci",
        "devices.lorawan",
        "devices.modbus",
        "devices.nonin",
        "devices.p1",
        "devices.honeywell",
        "devices.nova",
        "devices.plantower",
        "devices.sensirion",
        "devices.winsen",
    ),
}
"""Packages without a face: their modules are rooms of their own, and are imported one by one."""


def _package_of(module: str) -> str:
    """The innermost package that `module` is, or lies in."""
    path = ROOT / module.replace(".", "/")
    return module if path.is_dir() else module.rpartition(".")[0]


def _imports(folders: tuple[str, ...]) -> Iterator[tuple[str, int, str, str, list[str]]]:
    """(file, line, its package, the module imported from, the names) of each import of ours."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            me = file.relative_to(ROOT)
            package = ".".join(me.parent.parts)
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ROOMS:
                    yield str(me), node.lineno, package, node.module, [alias.name for alias in node.names]


def _within(package: str, outer: str) -> bool:
    return package == outer or package.startswith(outer + ".")


def test_a_package_is_entered_by_its_face() -> None:
    seen = 0
    for file, line, package, module, _ in _imports(ROOMS):
        target = _package_of(module)
        seen += 1
        if target in SHELVES or module == target or _within(package, target):
            continue
        raise AssertionError(f"{file}:{line}: imports {module}; expected what {target}/__init__.py offers")
    assert seen > 400


def test_no_private_name_leaves_its_package() -> None:
    for file, line, package, module, names in _imports((*ROOMS, "bench")):
        private = [part for part in (*module.split("."), *names) if part.startswith("_") and not part.startswith("__")]
        if private and not _within(package, _package_of(module)):
            raise AssertionError(f"{file}:{line}: {', '.join(private)} of {module} is its own affair")


def test_a_face_is_a_list_of_what_it_offers() -> None:
    faces = 0
    for folder in ROOMS:
        for file in sorted((ROOT / folder).rglob("__init__.py")):
            nodes = ast.parse(file.read_text()).body
            others = [node for node in nodes if not isinstance(node, ast.Expr | ast.ImportFrom | ast.Assign)]
            assert others == [], file
            faces += 1
    assert faces > 20


def test_the_picture_of_the_gateway_is_the_import_contract() -> None:
    paper = (ROOT / "docs" / "architecture.md").read_text()
    picture = paper.split("the folders are the way of a reading", 1)[1].split("```")[1]
    drawn = [set(re.findall(r"[a-z]+", line.replace(".py", ""))) for line in picture.strip().splitlines()]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    held = [set(layer.split(" | ")) for layer in contracts[0]["layers"]]
    assert contracts[0]["exhaustive"] is True  # import-linter: no room of the gateway is missing
    assert drawn == held
    assert len(drawn) > 10
