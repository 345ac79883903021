"""The applications: server-rendered, each a function from request to response over a small database."""
