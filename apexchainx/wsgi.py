"""The web process. It knows public keys only."""

import os

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

for name in ("STELLAR_POOL_SECRET", "STELLAR_POOL_SECRET_FILE"):
    if os.environ.get(name):
        raise ImproperlyConfigured(f"{name} is set in a web process: only the signer may see the pool's key.")

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "apexchainx.settings")
application = get_wsgi_application()
