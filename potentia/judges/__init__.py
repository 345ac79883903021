"""Who answers questions about states and steps: rules, embeddings, language models, recordings."""

from potentia.judges.background import Background
from potentia.judges.guards.budgeted import Budgeted, BudgetError
from potentia.judges.guards.cached import Cached
from potentia.judges.guards.limited import Limited
from potentia.judges.guards.recorded import Recorded, Recording
from potentia.judges.guards.retried import Retried
from potentia.judges.judge import Judge, Rules
from potentia.judges.models.chat_server import ChatServer
from potentia.judges.models.embeddings import Embeddings
from potentia.judges.models.local_model import LocalModel
from potentia.judges.opinions.both_orders import BothOrders
from potentia.judges.opinions.branch_and_rethink import BranchAndRethink
from potentia.judges.opinions.mistaken import Mistaken
from potentia.judges.opinions.rubrics import Rubrics
from potentia.judges.opinions.rule_set import RuleSet
from potentia.judges.opinions.vote import Vote
from potentia.judges.question import Achieved, Answer, Forward, Holds, Ideas, Prefers, Progress, Question
from potentia.judges.usage import Usage

__all__ = [
    "Achieved",
    "Answer",
    "Background",
    "BothOrders",
    "BranchAndRethink",
    "BudgetError",
    "Budgeted",
    "Cached",
    "ChatServer",
    "Embeddings",
    "Forward",
    "Holds",
    "Ideas",
    "Judge",
    "Limited",
    "LocalModel",
    "Mistaken",
    "Prefers",
    "Progress",
    "Question",
    "Recorded",
    "Recording",
    "Retried",
    "Rubrics",
    "RuleSet",
    "Rules",
    "Usage",
    "Vote",
]
