"""Credit from shown behaviour: optimal transport, discriminators, hops."""
