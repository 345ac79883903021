"""Episodes recorded as they are played, of any Gymnasium environment, and one page to look at them again."""

from potentia.replay.episode import Episode, episode_files, load_episode, save_episode
from potentia.replay.page import write_page
from potentia.replay.recording import RecordEpisodes
from potentia.replay.sources import replay

__all__ = ["Episode", "RecordEpisodes", "episode_files", "load_episode", "replay", "save_episode", "write_page"]
