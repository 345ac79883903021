"""The names of the levels that have an id, known without compiling anything."""

from __future__ import annotations

# fmt: off
NAMES: tuple[str, ...] = (
    "FourRooms", "Empty-5x5", "DoorKey-5x5", "Empty-6x6", "DoorKey-6x6", "Empty-8x8", "DoorKey-8x8", "Empty-16x16",
    "DoorKey-16x16", "Empty-Random-5x5", "Empty-Random-6x6", "LavaGapS5", "LavaGapS6", "LavaGapS7", "DistShift1",
    "DistShift2", "LavaCrossingS9N1", "SimpleCrossingS9N1", "LavaCrossingS9N2", "SimpleCrossingS9N2",
    "LavaCrossingS9N3", "SimpleCrossingS9N3", "LavaCrossingS11N5", "SimpleCrossingS11N5", "MultiRoom-N2-S4",
    "MultiRoom-N4-S5", "MultiRoom-N6", "Unlock", "UnlockPickup", "BlockedUnlockPickup", "KeyCorridorS3R1",
    "KeyCorridorS3R2", "KeyCorridorS3R3", "KeyCorridorS4R3", "KeyCorridorS5R3", "KeyCorridorS6R3",
    "ObstructedMaze-1Dl", "ObstructedMaze-2Dl", "ObstructedMaze-1Dlh", "ObstructedMaze-2Dlh",
    "ObstructedMaze-1Dlhb", "ObstructedMaze-2Dlhb", "ObstructedMaze-1Q", "ObstructedMaze-2Q", "ObstructedMaze-Full",
    "RedBlueDoors-6x6", "RedBlueDoors-8x8", "LockedRoom", "MemoryS7", "MemoryS9", "MemoryS11", "MemoryS13",
    "MemoryS13Random", "MemoryS17Random", "Fetch-5x5-N2", "Fetch-6x6-N2", "Fetch-8x8-N3", "GoToObject-6x6-N2",
    "GoToObject-8x8-N2", "PutNear-6x6-N2", "PutNear-8x8-N3", "GoToDoor-5x5", "GoToDoor-6x6", "GoToDoor-8x8",
    "Dynamic-Obstacles-5x5", "Dynamic-Obstacles-6x6", "Dynamic-Obstacles-8x8", "Dynamic-Obstacles-16x16",
    "Dynamic-Obstacles-Random-5x5", "Dynamic-Obstacles-Random-6x6", "Playground",
)
