"""Runs a study: what is missing or failed, and nothing twice."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from potentia.study.documents import SpecError, write_yaml
from potentia.study.executor import Executor, Job
from potentia.study.folder import RunFolder, write_json
from potentia.study.plan import check_study, runs_of
from potentia.study.rehearsal import check_cells
from potentia.study.results import findings
from potentia.study.results.files import json_object
from potentia.study.results.finding import find_study, lies_in_results
from potentia.study.spec import StudySpec, bundled_studies, load_study

if TYPE_CHECKING:
    from potentia.shaping.fit import Finding


@dataclass(frozen=True)
class Shard:
    """The k-th of n parts of a study, for several machines that share a folder. The count k starts at 1.

    Raises:
        ValueError: If k is not in 1..n.
    """

    k: int = 1
    n: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.n:
            raise ValueError(f"a shard is k/n with 1 <= k <= n, got {self.k}/{self.n}")

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Reads ``k/n``."""
        try:
            k, n = map(int, text.split("/"))
        except ValueError as error:
            raise ValueError(f"a shard is written k/n, such as 1/4, got {text!r}") from error
        return cls(k, n)

    def holds(self, run_id: str) -> bool:
        """Whether the run belongs to this part: by its id, so that the parts never overlap."""
        return int(hashlib.sha256(run_id.encode()).hexdigest(), 16) % self.n == self.k - 1


class StudyFolder:
    """The folder of a study, and the runs in it.

    Args:
        study: The study.
        out: The folder that holds studies. This study gets a folder by its name there.

    Raises:
        SpecError: If the folder can't be made.
    """

    def __init__(self, study: StudySpec, out: Path) -> None:
        self.study = study
        self.path = out / study.name
        self.runs = [(config, RunFolder(self.path / "runs" / config.run_id)) for config in runs_of(study)]

    @classmethod
    def find(cls, source: str, out: Path) -> StudyFolder:
        """That of a study's folder, its file, or its name. The study need not have been run.

        Args:
            source: The folder of its results, or what `load_study` takes, or its name in ``out``.
            out: The folder that holds studies, for a file or a name.

        Raises:
            SpecError: If there is no such study, or its file is wrong.
        """
        path = Path(source)
        if lies_in_results(path) if path.is_file() else source not in bundled_studies():
            with contextlib.suppress(FileNotFoundError):  # then `load_study` says what it knows
                path = find_study(source, out).resolve()
                study = load_study(path / "study.yaml")
                return cls(study.model_copy(update={"name": path.name}), path.parent)
        return cls(load_study(source), out)

    def prepare(self) -> None:
        """Writes the study, the list of its runs, and each run's configuration. Results stay."""
        try:
            for config, folder in self.runs:
                folder.path.mkdir(parents=True, exist_ok=True)
                folder.set_config({**config.document, "run_id": config.run_id})
            write_json(self.path / "plan.json", {"runs": [config.run_id for config, _ in self.runs]})
            document = self.study.model_dump(mode="json")
            if self.study.folder is not None:
                document["folder"] = os.path.relpath(self.study.folder, os.path.realpath(self.path))
            (self.path / "study.yaml").write_text(write_yaml(document), "utf-8")
        except OSError as error:
            raise SpecError(
                str(self.path), [f"the folder can't be written: {error.strerror}; choose another with --out DIR"]
            ) from error

    def keep_findings(self, found: Iterable[Finding]) -> None:
        """Keeps what was found before these runs, for the report. What was found before others of the study stays.

        A study that was changed is another one: what was found in it is forgotten.
        """
        plan = [config.run_id for config, _ in self.runs]
        kept = json_object(self.path / findings.FILE) or {}
        earlier = kept.get("findings", []) if kept.get("runs") == plan else []
        entries = [*earlier, *(entry for finding in found if (entry := asdict(finding)) not in earlier)]
        if entries:
            write_json(self.path / findings.FILE, {"runs": plan, "findings": entries})
        else:
            (self.path / findings.FILE).unlink(missing_ok=True)

    def states(self) -> Counter[str]:
        """How many runs are in each state."""
        return Counter(folder.status()["state"] for _, folder in self.runs)


def run_study(
    study: StudySpec,
    source: str,
    out: Path,
    *,
    jobs: int = 1,
    shard: Shard | None = None,
    timeout: float | None = None,
    watch: Callable[[StudyFolder, Executor], Callable[[], None]] | None = None,
    warn: Callable[[Finding], None] | None = None,
) -> tuple[StudyFolder, Executor]:
    """Runs whatever of the study is not completed. The same call again goes on where this one stopped.

    Args:
        study: The study.
        source: Where it came from, for messages.
        out: The folder that holds studies.
        jobs: Processes at once.
        shard: The part of the study to run.
        timeout: Seconds a run may take, instead of the study's own.
        watch: Makes the function that is called after each change.
        warn: Called with each finding that does not keep the study from running, before it runs.

    Returns:
        The folder, and the executor, which says whether it was interrupted.

    Raises:
        SpecError: If the study can't be run as it is written, or its folder can't be written.
    """
    if study.folder is None:  # so that it goes on from wherever it is resumed
        study = study.model_copy(update={"folder": os.path.realpath(".")})
    check_study(study, source)
    folder = StudyFolder(study, out)
    part = shard or Shard()
    todo = [Job(config, run) for config, run in folder.runs if part.holds(config.run_id) and not run.completed]
    found = check_cells(study, [job.config for job in todo], source) if todo else []
    if warn is not None:
        for finding in found:
            warn(finding)
    folder.prepare()  # only now: a study that is refused leaves nothing behind
    folder.keep_findings(found)
    executor = Executor(todo, jobs, timeout if timeout is not None else study.timeout)
    if watch is not None:
        executor.on_change = watch(folder, executor)
    executor.run()
    return folder, executor
