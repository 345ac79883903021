"""Credit from shown behaviour: optimal transport, discriminators, hops."""

from potentia.shaping._models.costs import RandomFeatures
from potentia.shaping._models.sinkhorn import sinkhorn
from potentia.shaping.imitation.hops import oracle_hop

__all__ = ["RandomFeatures", "oracle_hop", "sinkhorn"]
