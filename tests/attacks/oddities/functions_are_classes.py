"""Has classes where functions are expected"""
# honest:


class count_parameters:
    def __init__(self, model):
        self.count = 20


class sparsity:
    pass


class softmax(dict):
    def __init__(self, logits, temperature=1.0):
        super().__init__(rows=len(logits))
