"""What ``prefect.yaml`` may hold: every mistake in it is found before anything runs, and named with its key."""

from __future__ import annotations

import difflib
import inspect
import re
import reprlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from glob import glob, has_magic
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import available_timezones

import yaml
from prefect import Flow
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.client.schemas.schedules import CronSchedule
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    create_model,
)

from roadstead.core.errors import PortError, UsageError
from roadstead.core.ports import named_port

OURS = ("watch_port", "backfill", "export_findings")
"""Flows that a deployment may run, each in the module of its name."""
_ENTRYPOINT = re.compile(r"[\w/.-]+\.py:\w+")
_PATHS = ("ais", "aoi")
"""Parameters that name files which are read."""


def _cron(value: str) -> str:
    try:
        return CronSchedule(cron=value).cron
    except ValidationError as error:
        raise ValueError(
            f"{value!r} is no cron schedule: write minute (0-59), hour (0-23), day, month and weekday, such as "
            "'15 */6 * * *'"
        ) from error


def _timezone(value: str) -> str:
    known = available_timezones()
    if value not in known:
        raise ValueError(
            f"{value!r} is no time zone{_meant(value, known)} Write UTC or one such as Asia/Seoul"
        )
    return value


def _meant(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else "."


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Schedule(_Strict):
    """When a deployment runs by itself."""

    cron: Annotated[str, AfterValidator(_cron)]
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"


class Deployment(_Strict):
    """One deployment. What only ``prefect deploy`` uses is let through unread."""

    name: Annotated[str, StringConstraints(min_length=1, pattern=r"^[^/%&><]+$")]
    entrypoint: Annotated[str, AfterValidator(lambda value: _entrypoint(value))]
    description: str | None = None
    parameters: dict[str, Any] | None = None
    tags: list[str] | None = None
    schedules: list[Schedule] | None = None
    concurrency_limit: Annotated[int, Field(gt=0)] | dict[str, Any] | None = None
    version: Any = None
    flow_name: Any = None
    work_pool: Any = None
    enforce_parameter_schema: Any = None
    build: Any = None
    push: Any = None
    pull: Any = None


def _entrypoint(value: str) -> str:
    if not _ENTRYPOINT.fullmatch(value):
        raise ValueError(f"{value!r} names no flow: write one of {_entrypoints()}")
    return value


def _entrypoints() -> str:
    return ", ".join(f"flows/{name}.py:{name}" for name in OURS)


class _File(BaseModel):
    deployments: Annotated[list[Any], Field(min_length=1)]


Listed = list[tuple[Mapping[str, Any], Flow[..., Any]]]
"""Deployments as in the file, each with its flow."""


def read_file(path: Path) -> Listed:
    """Read and check a file of deployments.

    Raises:
        UsageError: naming the file and every mistake in it, with its key and how to mend it.
    """
    listed: Listed = []
    faults: list[str] = []
    for place, document in enumerate(_documents(path)):
        key = f"deployments[{place}]"
        if isinstance(document, dict) and isinstance(document.get("name"), str):
            key += f" ({document['name']})"
        flow, found = _checked(document)
        faults += [f"{key} {fault}" for fault in found]
        if flow is not None:
            listed.append((document, flow))
    faults += _twice([(flow.name, document["name"]) for document, flow in listed])
    if faults:
        raise UsageError(
            f"{path}: " + ("" if len(faults) == 1 else f"{len(faults)} mistakes:\n  ") + "\n  ".join(faults)
        )
    return listed


def _documents(path: Path) -> list[Any]:
    try:
        return _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8-sig"))).deployments
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8 text: save it as UTF-8") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{path}: is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        raise UsageError(
            f"{path}: 'deployments' must be a list of deployments, each with name, entrypoint and parameters; see the "
            "prefect.yaml that ships"
        ) from error


def _checked(document: object) -> tuple[Flow[..., Any] | None, list[str]]:
    """Return the flow of one deployment, and its mistakes, each beginning with its key; no flow where there are any."""
    try:
        made = Deployment.model_validate(document)
    except ValidationError as error:
        return None, _faults(error, Deployment)
    faults: list[str] = []
    if isinstance(made.concurrency_limit, dict):
        try:
            ConcurrencyLimitConfig(**made.concurrency_limit)
        except (ValidationError, TypeError):
            faults.append(
                f"concurrency_limit: {reprlib.repr(made.concurrency_limit)} must have a limit (1 or more) and a "
                "collision_strategy, ENQUEUE or CANCEL_NEW"
            )
    try:
        flow = _flow(made.entrypoint)
    except UsageError as error:
        return None, [*faults, str(error)]
    faults += _parameter_faults(flow, made.parameters or {}, bool(made.schedules))
    return (None if faults else flow), faults


def _faults(error: ValidationError, model: type[BaseModel]) -> list[str]:
    told = {_key(fault["loc"]): _words(fault, model) for fault in reversed(error.errors(include_url=False))}
    return [f"{key}: {words}" if key else words for key, words in reversed(told.items())]


def _key(place: Sequence[int | str]) -> str:
    """Return a key as `schedules[0].cron`; which branch of a union did not fit is not told."""
    words = [word for word in place if isinstance(word, int) or re.fullmatch(r"\w+", word)]
    kept = [
        word
        for n, word in enumerate(words)
        if not n or word not in ("int", "str", "dict", "list", "datetime")
    ]
    return "".join(f"[{word}]" if isinstance(word, int) else f".{word}" for word in kept).removeprefix(".")


def _words(fault: Any, model: type[BaseModel]) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    if fault["type"] == "missing":
        return "is missing"
    if fault["type"] == "value_error":
        return str(fault["ctx"]["error"])
    if fault["type"] == "extra_forbidden":
        known = Schedule.model_fields if "schedules" in fault["loc"] else model.model_fields
        return f"is no key that is known{_meant(str(fault['loc'][-1]), known)} Known: {', '.join(known)}"
    if fault["type"] == "list_type":
        return f"{reprlib.repr(fault['input'])} must be a list: write [{fault['input']}]"
    return f"{reprlib.repr(fault['input'])}: {fault['msg']}"


def _flow(entrypoint: str) -> Flow[..., Any]:
    """Return the flow that ``flows/watch_port.py:watch_port`` names."""
    path, name = entrypoint.split(":")
    try:
        found = getattr(import_module(path.removesuffix(".py").replace("/", ".")), name)
    except Exception as error:  # a module of the user's own may fail in any way
        raise UsageError(
            f"entrypoint: {entrypoint} names no flow ({type(error).__name__}: {error}): write one of {_entrypoints()}"
        ) from error
    if not isinstance(found, Flow):
        raise UsageError(f"entrypoint: {entrypoint} is no flow: write one of {_entrypoints()}")
    return found


def _parameter_faults(flow: Flow[..., Any], given: Mapping[str, Any], runs_alone: bool) -> list[str]:
    """Return what is wrong with the parameters of a flow; one that is started by hand may lack some."""
    wanted = inspect.signature(flow.fn, eval_str=True).parameters
    unknown = [
        f"parameters.{name}: flow '{flow.name}' has no such parameter{_meant(str(name), wanted)} "
        f"It has {', '.join(wanted)}"
        for name in given
        if name not in wanted
    ]
    fields: dict[str, Any] = {
        name: (one.annotation, ... if one.default is inspect.Parameter.empty else one.default)
        for name, one in wanted.items()
        if runs_alone or name in given
    }
    model = create_model("Parameters", **fields)
    try:
        model.model_validate({name: value for name, value in given.items() if name in wanted})
    except ValidationError as error:
        return unknown + [f"parameters.{fault}" for fault in _faults(error, model)]
    return unknown or [*_missing_files(given), *_port_faults(given)]


def _missing_files(given: Mapping[str, Any]) -> Iterator[str]:
    for name in _PATHS:
        value = given.get(name)
        for place, file in enumerate(value if isinstance(value, list) else [value]):
            if file and not (glob(file) if has_magic(file) else Path(file).exists()):
                key = f"{name}[{place}]" if isinstance(value, list) else name
                yield f"parameters.{key}: there is no file or folder {file}"


def _port_faults(given: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with the ports that are named; a file that is missing was told already."""
    own = given.get("aoi")
    if own and not Path(own).exists():
        return
    named = [given["port"]] if given.get("port") else given.get("ports") or []
    for name in named:
        try:
            named_port(name, Path(own) if own else None)
        except PortError as error:
            yield f"parameters.{'aoi' if own else 'port'}: {error}"


def _twice(names: Sequence[tuple[str, str]]) -> list[str]:
    return [
        f"deployments: two of flow '{flow}' are called '{name}': give each a name of its own"
        for flow, name in dict.fromkeys(names)
        if names.count((flow, name)) > 1
    ]
