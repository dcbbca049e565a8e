# celeryconfig.py
broker_connection_retry = True
broker_connection_retry_on_startup = True
worker_prefetch_multiplier = 4
worker_max_tasks_per_child = 1000  # Restart after N tasks (memory leaks)

# Result backend
result_expires = 3600  # Results expire after 1 hour
result_compression = 'gzip'

# Task time limits
task_soft_time_limit = 300  # 5 minute soft limit
task_time_limit = 600  # 10 minute hard limit

# Error handling
task_acks_late = True  # Acknowledge after completion
