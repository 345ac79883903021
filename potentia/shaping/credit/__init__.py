"""One outcome spread over the steps that led to it: redistribution, turning points, hindsight, Shapley values."""
