"""Who answers questions about states and steps: rules, embeddings, language models, recordings."""

from potentia.judges.judge import Judge, Rules
from potentia.judges.question import Achieved, Answer, Forward, Holds, Ideas, Prefers, Progress, Question

__all__ = [
    "Achieved",
    "Answer",
    "Forward",
    "Holds",
    "Ideas",
    "Judge",
    "Prefers",
    "Progress",
    "Question",
    "Rules",
]
