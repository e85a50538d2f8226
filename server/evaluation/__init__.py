"""How well a network does on a part of its task: scores by scikit-learn, and the examples that it gets wrong."""
