"""Studies: environments x shapings x learners x seeds, run to the end and reported with honest statistics."""
