"""Reads the run folders of a study into arrays, whatever state the study is in.

A run counts as completed only if its result was written. Any other run keeps its state and its error and
has no final return. Nothing that failed is ever turned into a number.
"""

from potentia.study.results.anchors import Anchors, world_anchors
from potentia.study.results.finding import find_study
from potentia.study.results.labels import distinct_labels
from potentia.study.results.loading import load_study
from potentia.study.results.records import STATES, Evaluations, Run, Study, Training
from potentia.study.results.tables import Results, Table, load

__all__ = [
    "STATES",
    "Anchors",
    "Evaluations",
    "Results",
    "Run",
    "Study",
    "Table",
    "Training",
    "distinct_labels",
    "find_study",
    "load",
    "load_study",
    "world_anchors",
]
