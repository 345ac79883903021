"""Results from Python: columns, data frames, figures, and studies found by folder, file or name."""

from __future__ import annotations

import builtins
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

import potentia.study
from potentia.study.results import Table, find_study, load_study
from tests.study.synthetic import CURVES, ENVIRONMENTS, write_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    shapings = {name: CURVES[name] for name in ("none", "count")}
    states = {(ENVIRONMENTS[0], "count", 1): ("failed", "loss is NaN")}
    root = tmp_path_factory.mktemp("tables")
    return write_study(root, environments=ENVIRONMENTS[:2], shapings=shapings, seeds=2, states=states)


def test_runs_are_rows_and_a_failed_one_has_no_return(folder):
    runs = potentia.study.load(folder).runs
    assert runs.rows == 8  # 2 worlds x 2 shapings x 2 seeds
    assert runs["seed"].tolist() == [0, 1] * 4
    (failed,) = np.flatnonzero(runs["state"] == "failed")
    assert np.isnan(runs["final_return"][failed])
    assert runs["error"][failed] == "loss is NaN"
    # DeepSea's anchors are 0 and 0.99.
    deep = (runs["environment"] == "DeepSea") & (runs["state"] == "completed")
    np.testing.assert_allclose(runs["normalised_return"][deep], runs["final_return"][deep] / 0.99)


def test_curves_and_shares_are_those_of_the_logs(folder):
    results = potentia.study.load(folder)
    run = results.study.runs[0]
    own = results.curves["run_id"] == run.run_id
    np.testing.assert_array_equal(results.curves["return"][own], run.evaluations.returns)
    np.testing.assert_array_equal(results.curves["step"][own], run.evaluations.steps)
    counted = next(r for r in results.study.runs if r.shaping == "count")
    own = (results.shares["run_id"] == counted.run_id) & (results.shares["term"] == "count")
    np.testing.assert_array_equal(results.shares["share"][own], counted.training.shares["count"])


def test_tables_become_data_frames(folder):
    pytest.importorskip("pandas")
    results = potentia.study.load(folder)
    frame = results.runs.to_pandas()
    assert list(frame.columns) == list(results.runs)
    assert frame.groupby("shaping")["final_return"].count().to_dict() == {"none": 4, "count": 3}
    assert str(results.curves.to_pandas()["step"].dtype).startswith("int")


def test_without_pandas_the_error_names_the_extra(monkeypatch):
    real = builtins.__import__

    def absent(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError("no pandas")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    table = Table(("seed",), [{"seed": 3}])
    with pytest.raises(ImportError, match=r"potentia\[frames\]"):
        table.to_pandas()
    assert table["seed"].tolist() == [3]


def test_figures_have_a_panel_a_world_and_a_line_a_method(folder):
    pytest.importorskip("matplotlib")
    figure = potentia.study.plot_curves(folder)
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["DeepSea", "DoorKey-8x8"]
    analysed = potentia.study.load(folder).study.select("DeepSea", "none", "ppo")
    (line,) = [line for line in figure.axes[0].get_lines() if line.get_label() == "none"]
    # Two runs: the interquartile mean is their mean.
    np.testing.assert_allclose(line.get_ydata(), np.mean([run.evaluations.returns for run in analysed], axis=0))
    success = potentia.study.plot_curves(potentia.study.load(folder), quantity="success rate", environments=["DeepSea"])
    assert len(success.axes) == 1
    assert success.axes[0].get_ylabel() == "success rate"
    with pytest.raises(ValueError, match="DeepSea, DoorKey-8x8"):
        potentia.study.plot_curves(folder, environments=["Nowhere"])


def test_a_study_is_found_by_its_folder_a_file_of_it_its_own_file_or_its_name(folder, tmp_path):
    own = tmp_path / "any.yaml"
    own.write_text(yaml.safe_dump({"name": folder.name}), encoding="utf-8")
    (tmp_path / "runs").mkdir()  # where results go by default, beside a study's own file
    for source in (folder, str(folder), folder / "study.yaml", own, folder.name):
        assert find_study(source, folder.parent) == folder
    with pytest.raises(FileNotFoundError, match=f"got 'nothing'.*studies in .*: {folder.name}"):
        find_study("nothing", folder.parent)


def test_reports_take_the_same_forms(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder.parent)
    (folder.parent / "runs").symlink_to(folder.parent, target_is_directory=True)
    try:
        one = potentia.study.write_report(folder.name, tmp_path / "one")
        other = potentia.study.write_report(folder / "study.yaml", tmp_path / "other")
        assert one.read_bytes() == other.read_bytes()
    finally:
        (folder.parent / "runs").unlink()


def test_a_folder_without_files_of_a_study_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        potentia.study.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        load_study(tmp_path)


def test_importing_studies_is_light():
    heavy = ("torch", "matplotlib", "pandas", "jinja2", "numba", "pydantic", "yaml")
    code = f"import sys, potentia.study; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    assert {"load", "plot_curves", "load_policy"} <= set(dir(potentia.study))
    with pytest.raises(AttributeError, match="no attribute 'lood'"):
        _ = potentia.study.lood
    assert Path(potentia.study.__file__).name == "__init__.py"
