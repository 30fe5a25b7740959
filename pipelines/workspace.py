"""What one command works with (the checkout, its environment, the way to AWS) and the verbs it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.catalog import PipelineSource, find_pipeline, list_pipelines
from pipelines.environments import Target, load_target
from pipelines.errors import BuildError, UsageError
from pipelines.project import find_root

if TYPE_CHECKING:
    from pipelines.build import BuiltPipeline
    from pipelines.checks.registry import Finding
    from pipelines.connection import Connection
    from pipelines.cost import StepCost
    from pipelines.follow import Ended
    from pipelines.upsert import Upserted


class Workspace:
    """The checkout at hand and one of its environments; everything else is made when it is needed."""

    def __init__(
        self,
        environment: str,
        write: Callable[[str], None],
        complain: Callable[[str], None] | None = None,
        suffix: str = "",
        answer: Callable[[Any], None] | None = None,
    ) -> None:
        self.write = write
        self.for_programs = answer is not None
        self.answer: Callable[[Any], None] = answer or (lambda document: None)
        """Takes the command's result as one document, where that is wanted instead of lines."""
        self._suffix = suffix
        self.complain = complain or write
        self._environment = environment

    @cached_property
    def root(self) -> Path:
        return find_root()

    @cached_property
    def target(self) -> Target:
        return load_target(self.root, self._environment)

    @cached_property
    def connection(self) -> Connection:
        from pipelines.connection import Connection

        return Connection(self.target)

    def connection_to(self, environment: str) -> Connection:
        """The way to another environment."""
        from pipelines.connection import Connection

        return Connection(load_target(self.root, environment))

    @property
    def option(self) -> str:
        """`` --env NAME`` for commands in messages; empty for the default."""
        environment = "" if self._environment == "local" else f" --env {self._environment}"
        return environment + (f" --suffix {self._suffix}" if self._suffix else "")

    @cached_property
    def suffix(self) -> str:
        """Ending of the names of deployed pipelines: the environment's, then that of the command line."""
        from pipelines.suffix import read_suffix

        return self.target.environment.suffix + read_suffix(self._suffix, self.root)

    def deployed(self, name: str) -> str:
        """Name under which a pipeline of the checkout is deployed; any other name stays."""
        return name + self.suffix if self.suffix and name in self.names() else name

    def source(self, name: str) -> PipelineSource:
        return find_pipeline(self.root, name)

    def names(self) -> Iterable[str]:
        """Names of the checkout's pipelines."""
        return (source.name for source in list_pipelines(self.root))

    def chosen(self, names: Sequence[str], every: bool) -> list[str]:
        """Names of the pipelines that a command line means.

        Raises:
            UsageError: it means none, or says both.
        """
        if bool(names) == every:
            raise UsageError("Name one pipeline or several, or give --all. Which there are: pipelines list")
        return list(names) or list(self.names())

    def build(self, name: str, output: Path | None = None) -> BuiltPipeline:
        """The build of a pipeline, made only if something it is made of has changed."""
        (built,) = self.build_all([name], output)
        return built

    def build_all(self, names: Sequence[str], output: Path | None = None) -> list[BuiltPipeline]:
        """The builds of several pipelines, for which the SDK is imported once.

        Raises:
            BuildError: one of them cannot be built; those that can are.
        """
        found = self._builds(names, output)
        for built in found:
            if isinstance(built, BuildError):
                raise built
        return [replace(built, suffix=self.suffix) for built in found if not isinstance(built, BuildError)]

    def validate(self, names: Sequence[str]) -> list[Finding]:
        """Findings of all checks on pipelines."""
        from pipelines.validate import validate_pipeline

        environment = self.target.environment
        builds = zip(names, self._builds(names), strict=True)
        return [item for name, built in builds for item in validate_pipeline(self.source(name), environment, built)]

    def _builds(self, names: Sequence[str], output: Path | None = None) -> list[BuiltPipeline | BuildError]:
        from pipelines.build import build_pipelines

        sources, environment = [self.source(name) for name in names], self.target.environment
        return build_pipelines(sources, environment, output or self.root / "build", self.complain)

    def planned_costs(self, name: str) -> list[StepCost]:
        """What the jobs of a pipeline cost per hour."""
        from pipelines.cost import planned_costs
        from pipelines.definition import parameters, steps

        definition = self.build(name).definition
        return planned_costs(steps(definition), parameters(definition))

    def execution_costs(self, arn: str) -> list[StepCost]:
        """What the jobs of an execution have cost."""
        from pipelines.cost import job_cost
        from pipelines.execution import list_steps
        from pipelines.jobs import describe_job, job_of

        found = []
        for step in list_steps(self.connection, arn):
            job = job_of(step)
            if job is not None:
                described = describe_job(self.connection, *job)
                found.append(job_cost(step["StepName"], described, cached=bool(step.get("CacheHitResult"))))
        return [cost for cost in found if cost is not None]

    def upsert(self, built: BuiltPipeline) -> Upserted:
        """Bring a built pipeline to the environment and say what was done."""
        from pipelines.upsert import upsert_pipeline

        done = upsert_pipeline(built, self.connection, self.write)
        self.write(f"{done.action} {done.arn}")
        return done

    def seed(self, built: BuiltPipeline, *, again: bool) -> dict[str, Any]:
        """Upload a pipeline's sample data; without ``again`` only where there is none. Where it is, and its files."""
        from pipelines.seed import find_seed, is_seeded, upload_seed

        source = self.source(built.name)
        seed = find_seed(built)
        if not again and is_seeded(seed, self.connection):
            return {"uri": seed.uri, "uploaded": {}}
        sizes = upload_seed(source, seed, self.connection, self.write)
        self.write(f"seeded {seed.uri}")
        return {"uri": seed.uri, "uploaded": sizes}

    def start(self, name: str, parameters: Iterable[str]) -> str:
        """Start a deployed pipeline; the ARN of the execution."""
        from pipelines.execution import start_execution

        arn = start_execution(self.connection, self.deployed(name), parameters)
        self.write(f"started {arn}")
        return arn

    def find(self, execution: str) -> str:
        """ARN of the execution that a text means."""
        from pipelines.execution import find_execution

        names = [self.deployed(name) for name in self.names()]
        return find_execution(self.connection, self.deployed(execution), names)

    def follow(self, arn: str) -> int:
        """Follow an execution to its end and sum it up; the exit code that says how it ended."""
        from pipelines.definition import steps
        from pipelines.execution import definition_of
        from pipelines.follow import follow_execution
        from pipelines.summary import exit_code, summarize
        from pipelines.views import PlainView, open_view

        definition = steps(definition_of(self.connection, arn))
        names = [step.name for step in definition if step.branch is None or step.branch[1] != "each"]
        shown = nullcontext(PlainView(self.complain)) if self.for_programs else open_view(names, self.write)
        with shown as view:
            ended: Ended = follow_execution(self.connection, arn, view)
        for line in summarize(self.connection, ended, definition):
            self.write(line)
        self.answer({"arn": arn, "status": ended.status, "steps": ended.steps})
        return exit_code(ended)
