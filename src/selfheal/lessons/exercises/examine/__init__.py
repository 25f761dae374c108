"""What no list of runs and questions can say of an answer: one module an exercise, whose ``examine`` its data names."""
