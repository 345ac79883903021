"""Who answers questions about states and steps: rules, embeddings, language models, recordings."""

from potentia.judges.background import Background
from potentia.judges.guards.cached import Cached
from potentia.judges.guards.recorded import Recorded, Recording
from potentia.judges.judge import Judge, Rules
from potentia.judges.models.embeddings import Embeddings
from potentia.judges.opinions.mistaken import Mistaken
from potentia.judges.question import Achieved, Answer, Forward, Holds, Ideas, Prefers, Progress, Question
from potentia.judges.usage import Usage

__all__ = [
    "Achieved",
    "Answer",
    "Background",
    "Cached",
    "Embeddings",
    "Forward",
    "Holds",
    "Ideas",
    "Judge",
    "Mistaken",
    "Prefers",
    "Progress",
    "Question",
    "Recorded",
    "Recording",
    "Rules",
    "Usage",
]
