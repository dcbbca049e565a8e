import os
from dataclasses import dataclass


@dataclass
class Video:
    content_id: str
    title: str


class YouTubeService:
    def ingest_video(self, url: str) -> Video:
        if "gone" in url:
            raise LookupError(f"no video at {url}")
        if "busy" in url:
            mark = os.path.join(os.environ["MARKS"], url.split("busy=")[1].split("&")[0])
            if not os.path.exists(mark):
                open(mark, "w").close()
                raise ConnectionError("busy")
        return Video(content_id=f"c-{url[-3:]}", title=f"Video {url}")
