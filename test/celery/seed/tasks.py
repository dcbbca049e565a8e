"""The task file of the design that Hapax began with, word for word: its blocks one after the other, with the imports that they need."""

from celery import Celery

app = Celery('menos',
    broker='amqp://admin:password@localhost:5672//',
    backend='redis://localhost:6379/0'
)

app.conf.update(
    task_serializer='json',
    accept_content=['json'],
    result_serializer='json',
    timezone='UTC',
    enable_utc=True,
    task_routes={
        'tasks.ingest_youtube': {'queue': 'youtube'},
        'tasks.process_content': {'queue': 'content'},
        'tasks.semantic_search': {'queue': 'search'},
    }
)


import sqlite3
from datetime import datetime

class YouTubeQuotaTracker:
    """Persistent quota tracking for YouTube API"""

    DAILY_QUOTA = 10000
    PRIORITY_RESERVED = 1000

    def __init__(self, db_path: str = "quota.db"):
        self.db_path = db_path
        self._init_db()

    def _init_db(self):
        with sqlite3.connect(self.db_path) as conn:
            conn.execute("""
                CREATE TABLE IF NOT EXISTS quota_usage (
                    date TEXT PRIMARY KEY,
                    units_used INTEGER DEFAULT 0
                )
            """)

    def can_proceed(self, units: int = 1, priority: bool = False) -> bool:
        """Check if we have quota available"""
        today = datetime.now().date().isoformat()

        with sqlite3.connect(self.db_path) as conn:
            row = conn.execute(
                "SELECT units_used FROM quota_usage WHERE date = ?",
                (today,)
            ).fetchone()

            units_used = row[0] if row else 0
            available = self.DAILY_QUOTA - units_used

            if priority:
                return available >= units

            # Non-priority can't use reserved quota
            return available - self.PRIORITY_RESERVED >= units

    def consume(self, units: int = 1):
        """Record quota consumption"""
        today = datetime.now().date().isoformat()

        with sqlite3.connect(self.db_path) as conn:
            conn.execute("""
                INSERT INTO quota_usage (date, units_used)
                VALUES (?, ?)
                ON CONFLICT(date) DO UPDATE SET units_used = units_used + ?
            """, (today, units, units))


from celery import Task

class YouTubeRateLimitedTask(Task):
    """Base task with YouTube API rate limiting"""

    def __init__(self):
        self.quota_tracker = YouTubeQuotaTracker()

    def before_start(self, task_id, args, kwargs):
        priority = kwargs.get('priority', False)

        if not self.quota_tracker.can_proceed(priority=priority):
            if priority:
                raise self.retry(countdown=3600)  # Try again in 1 hour
            else:
                raise Exception("YouTube API quota exceeded")

    def after_return(self, status, retval, task_id, args, kwargs, einfo):
        if status == "SUCCESS":
            self.quota_tracker.consume()


@app.task(bind=True, max_retries=3)
def ingest_youtube(self, url: str, priority: bool = False):
    """Ingest YouTube video into menos"""
    try:
        from menos.services.youtube import YouTubeService
        service = YouTubeService()
        result = service.ingest_video(url)
        return {
            "status": "success",
            "content_id": result.content_id,
            "title": result.title
        }
    except Exception as exc:
        raise self.retry(exc=exc, countdown=2 ** self.request.retries)


@app.task
def process_content(content_id: str, operations: list[str]):
    """Process content with specified operations"""
    from menos.services.storage import SurrealDBRepository
    from menos.services.embeddings import OllamaEmbeddings

    db = SurrealDBRepository()
    embeddings = OllamaEmbeddings()

    results = {}

    if "embed" in operations:
        content = db.get_content(content_id)
        vector = embeddings.generate(content.text)
        db.update_embedding(content_id, vector)
        results["embed"] = "completed"

    if "summarize" in operations:
        content = db.get_content(content_id)
        summary = embeddings.summarize(content.text)
        db.update_summary(content_id, summary)
        results["summarize"] = "completed"

    return results


@app.task
def semantic_search(query: str, limit: int = 10):
    """Perform semantic search"""
    from menos.services.search import SearchService
    service = SearchService()
    results = service.search(query, limit=limit)
    return {
        "query": query,
        "results": [r.dict() for r in results]
    }


@app.task
def ingest_youtube_with_callback(url: str, callback_url: str):
    """Ingest video and notify via webhook when complete"""
    result = ingest_youtube(url)

    import httpx
    httpx.post(callback_url, json=result)

    return result
