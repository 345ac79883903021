"""Judges that are models: embeddings, a server of chat completions, a local language model."""
