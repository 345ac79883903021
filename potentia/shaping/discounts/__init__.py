"""Who sets the discount: schedules."""
