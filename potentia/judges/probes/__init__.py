"""What fools a judge: tests with a number each."""

from potentia.judges.probes.finding import Finding, table
from potentia.judges.probes.probe import probe
from potentia.judges.probes.word_overlap import word_overlap

__all__ = ["Finding", "probe", "table", "word_overlap"]
