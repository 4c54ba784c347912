"""The local store as a sink: one DuckDB file, one wide table per measurement.

    table "air":   time TIMESTAMP_NS | thing VARCHAR | zone VARCHAR | pm2_5_ug_m3 DOUBLE | ...
                   (never NULL)        tags, NULL where absent        fields: DOUBLE, BIGINT,
                                                                      BOOLEAN, VARCHAR
    about.columns(measurement, name, kind)       which column is a tag, and each field's type
                   (a schema called like the file, "parkgate", would be ambiguous to DuckDB)

Columns are added as they appear. A field keeps the type it had first, as in InfluxDB: a point
that brings another is rejected, the rest of the batch is stored.

Once. A batch is one transaction, synced to disk before it is accepted. A row is known by its
time and all its tags: a point that is there already is merged into its row (last value stands),
so a batch that is written again, whole or cut otherwise, changes nothing. That needs no memory
of spool rows, and holds whatever becomes of the spool file.

Limits: one process at a time has the file (DuckDB's lock). 256 MB of memory. Values of a batch
are handed over as columns, never row by row: about 100,000 points/s of three fields on one core.
Where a batch reaches back before the newest row of its table, the rows of its time span are
looked through for points that are there already; that is a scan of the time column, pruned by
DuckDB's row groups (122,880 rows).

Source: DuckDB documentation (concurrency, appending, transactions); tried on 2.0.0.
"""

import asyncio
import errno
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np

from gateway.intake import Accept, Batch, Keep, Outcome, SinkUnusable
from gateway.sinks.cut import halve
from gateway.sinks.local.lines import Kind, LineReader, Points, Schema
from gateway.state import FOLDER_MODE, LinkRefused, private_files, private_umask, refuse_links

MEMORY = "256MB"
DISK_FULL = tuple(os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT))
_DTYPES: dict[Kind, Any] = {"DOUBLE": np.float64, "BIGINT": np.int64, "BOOLEAN": np.bool_}
_STORE = """
CREATE SCHEMA IF NOT EXISTS about;
CREATE TABLE IF NOT EXISTS about.columns(measurement VARCHAR, name VARCHAR, kind VARCHAR);
"""

T = TypeVar("T")


class LocalStoreError(SinkUnusable):
    """The file cannot be used; one line for the person who named it."""


class LocalSink:
    """Opened by the first write or query, or by `open`, which says early what is wrong."""

    def __init__(self, path: Path) -> None:
        self.name = "local"
        self.path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="local")
        self._tables: _Tables | None = None

    async def open(self) -> None:
        """Raises LocalStoreError where another process has the file, or it is no such store."""
        await self._run(lambda _: None)

    async def write(self, batch: Batch) -> Outcome:
        try:
            return Accept(await self._run(lambda tables: tables.store(batch.lines)))
        except LocalStoreError as error:
            return Keep(str(error), alarm=True)
        except duckdb.Error as error:
            words = _first_line(error)
            if any(full in words for full in DISK_FULL):
                return Keep(f"{self.path.parent} has no space left: free some, the store goes on by itself ({words})")
            return Keep(f"{self.path}: {words}")

    async def query(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement. Raises duckdb.Error for a wrong one."""
        return await self._run(lambda tables: tables.query(sql, params))

    async def export(self, directory: Path) -> list[Path]:
        """Write each measurement to `directory`/<measurement>.parquet (zstd); the files written."""
        return await self._run(lambda tables: tables.export(directory))

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _close(self) -> None:
        if self._tables is not None:
            self._tables.close()
            self._tables = None

    async def _run(self, work: "Callable[[_Tables], T]") -> T:
        """Run `work` on the store's thread. A cancelled caller waits until it is done."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, self._work, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])
            raise

    def _work(self, work: "Callable[[_Tables], T]") -> T:
        try:
            with private_umask():  # DuckDB makes and removes its log and its spills as it likes
                if self._tables is None:
                    self._tables = _Tables(_connect(self.path))
                return work(self._tables)
        except (duckdb.OperationalError, duckdb.InternalError):
            # After a failed commit (disk full) DuckDB refuses everything until it is opened anew.
            self._close()
            raise


class _Tables:
    """The open file. Blocking, for one thread."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._db = connection
        self._reader = LineReader({})
        self._newest: dict[str, int] = {}
        self._learn()

    def close(self) -> None:
        self._db.close()

    def query(self, sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]:
        return self._db.execute(sql, list(params)).fetchall()

    def export(self, directory: Path) -> list[Path]:
        directory.mkdir(parents=True, exist_ok=True)
        written = []
        for measurement in sorted(self._reader.schemas):
            path = directory / (measurement.replace("/", "_").lstrip(".") + ".parquet")
            rows = f"SELECT * FROM {_quoted(measurement)} ORDER BY time"
            self._db.execute(f"COPY ({rows}) TO {_literal(path)} (FORMAT parquet, COMPRESSION zstd)")
            written.append(path)
        return written

    def store(self, lines: bytes) -> list[tuple[bytes, str]]:
        """Store all lines in one transaction, but for those returned with the reason."""
        points, refused = self._reader.read(lines)
        self._db.begin()
        try:
            for measurement, some in points.items():
                self._widen(measurement, self._reader.schemas[measurement])
                self._put(measurement, some)
            self._db.commit()
        except duckdb.Error as error:
            self._roll_back()
            if isinstance(error, duckdb.OperationalError | duckdb.InternalError):
                raise
            halves = halve(lines)
            if halves is None:
                return [(lines, _first_line(error))]
            return self.store(halves[0]) + self.store(halves[1])
        for measurement, some in points.items():
            self._newest[measurement] = max(self._newest.get(measurement, some.times[0]), max(some.times))
        return refused

    def _learn(self) -> None:
        """Read the schemas out of the file."""
        columns: dict[str, dict[str, Kind]] = {}
        for measurement, name, kind in self._db.execute("SELECT * FROM about.columns").fetchall():
            columns.setdefault(measurement, {})[name] = kind
        self._reader = LineReader({measurement: Schema(kinds) for measurement, kinds in columns.items()})
        for measurement in columns:
            newest = self._db.execute(f"SELECT epoch_ns(max(time)) FROM {_quoted(measurement)}").fetchone()
            if newest and newest[0] is not None:
                self._newest[measurement] = newest[0]

    def _roll_back(self) -> None:
        with suppress(duckdb.TransactionException):  # a failed commit has ended the transaction itself
            self._db.rollback()
        self._learn()

    def _widen(self, measurement: str, schema: Schema) -> None:
        """Make the table, or the columns it lacks."""
        if not schema.added:
            return
        table = _quoted(measurement)
        self._db.execute(f"CREATE TABLE IF NOT EXISTS {table}(time TIMESTAMP_NS NOT NULL)")
        for name in schema.added:
            kind = schema.columns[name]
            self._db.execute(f"ALTER TABLE {table} ADD COLUMN {_quoted(name)} {'VARCHAR' if kind == 'TAG' else kind}")
            self._db.execute("INSERT INTO about.columns VALUES (?, ?, ?)", [measurement, name, kind])
        schema.added.clear()

    def _put(self, measurement: str, points: Points) -> None:
        """Append the points, or merge them with rows that are there already."""
        schema = self._reader.schemas[measurement]
        incoming = _columns(points, schema)
        self._db.register("incoming", incoming)
        try:
            table = _quoted(measurement)
            names = ", ".join(_quoted(name) for name in incoming)
            insert = f"INSERT INTO {table}({names}) SELECT {names} FROM incoming AS i"
            same = _same_row(incoming, schema, min(points.times), max(points.times))
            if min(points.times) <= self._newest.get(measurement, min(points.times) - 1):
                found = self._db.execute(f"SELECT 1 FROM {table} AS t, incoming AS i WHERE {same} LIMIT 1").fetchone()
                if found:
                    fields = [_quoted(name) for name in points.columns]
                    merged = ", ".join(f"{name} = coalesce(i.{name}, t.{name})" for name in fields)
                    self._db.execute(f"UPDATE {table} AS t SET {merged} FROM incoming AS i WHERE {same}")
                    insert += f" WHERE NOT EXISTS (SELECT 1 FROM {table} AS t WHERE {same})"
            self._db.execute(insert)
        finally:
            self._db.unregister("incoming")


def _columns(points: Points, schema: Schema) -> dict[str, Any]:
    """Column name to array of one value a row; None or a mask where a row has none."""
    size = len(points.times)
    columns: dict[str, Any] = {"time": np.array(points.times, dtype=np.int64).view("datetime64[ns]")}
    tags = [dict(head.tags) for head in {head.number: head for head in points.heads}.values()]
    by_number = {head.number: dict(head.tags) for head in points.heads}
    for name in dict.fromkeys(name for some in tags for name in some):
        columns[name] = np.array([by_number[head.number].get(name) for head in points.heads], dtype=object)
    for name, column in points.columns.items():
        kind = schema.columns[name]
        if kind == "VARCHAR":
            texts = np.full(size, None, dtype=object)
            texts[column.rows] = column.values
            columns[name] = texts
            continue
        values, missing = np.zeros(size, dtype=_DTYPES[kind]), np.ones(size, dtype=np.bool_)
        values[column.rows] = column.values
        missing[column.rows] = False
        columns[name] = np.ma.masked_array(values, missing) if missing.any() else values
    return columns


def _same_row(incoming: dict[str, Any], schema: Schema, earliest: int, latest: int) -> str:
    """SQL: row t and incoming i are of one series and time. The span lets DuckDB skip row groups."""
    tags = [name for name, kind in schema.columns.items() if kind == "TAG"]
    given = [f"t.{_quoted(name)} IS NOT DISTINCT FROM i.{_quoted(name)}" for name in tags if name in incoming]
    absent = [f"t.{_quoted(name)} IS NULL" for name in tags if name not in incoming]
    span = f"t.time BETWEEN make_timestamp_ns({earliest}) AND make_timestamp_ns({latest})"
    return " AND ".join(["t.time = i.time", span, *given, *absent])


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        path.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        files = [path.with_name(path.name + ending) for ending in ("", ".wal", ".tmp")]
        refuse_links(files)
        private_files(files)
        connection = duckdb.connect(str(path))
        connection.execute(f"SET memory_limit = '{MEMORY}'")
        connection.execute(_STORE)
    except LinkRefused as error:
        raise LocalStoreError(str(error)) from error
    except OSError as error:
        raise LocalStoreError(
            f"{path.parent}: {error.strerror or error}; expected a directory this user may write"
        ) from error
    except duckdb.Error as error:
        raise LocalStoreError(f"{path}: {_advice(error)}") from error
    return connection


def _advice(error: duckdb.Error) -> str:
    text = str(error)
    if "lock" in text:
        return f"another process has the local store open ({_first_line(error)}); stop it, or name another file"
    if "version" in text or "not a valid DuckDB" in text or isinstance(error, duckdb.SerializationException):
        return (
            f"not a local store of DuckDB {duckdb.__version__} ({_first_line(error)}); "
            "move the file away, or use the version that wrote it"
        )
    return _first_line(error)


def _first_line(error: duckdb.Error) -> str:
    return str(error).strip().split("\n")[0]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
