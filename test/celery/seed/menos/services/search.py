class Found:
    def __init__(self, **fields):
        self.fields = fields

    def dict(self):
        return self.fields


class SearchService:
    def search(self, query: str, limit: int) -> list:
        return [Found(id=n, text=query, score=1 / n) for n in range(1, limit + 1)]
