from dataclasses import dataclass


@dataclass
class Content:
    text: str


class SurrealDBRepository:
    def get_content(self, content_id: str) -> Content:
        return {"c-1": Content("one two three")}[content_id]

    def update_embedding(self, content_id: str, vector: list) -> None:
        assert len(vector) == 3

    def update_summary(self, content_id: str, summary: str) -> None:
        assert summary == "one"
