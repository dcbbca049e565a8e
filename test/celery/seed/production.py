"""The tasks of the seed with its settings for production."""

import celeryconfig
from tasks import app

app.conf.update({name: value for name, value in vars(celeryconfig).items() if not name.startswith("_")})
