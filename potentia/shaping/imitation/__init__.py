"""Credit from shown behaviour: optimal transport, discriminators, hops."""

from potentia.shaping._models.costs import RandomFeatures
from potentia.shaping._models.sinkhorn import sinkhorn

__all__ = ["RandomFeatures", "sinkhorn"]
