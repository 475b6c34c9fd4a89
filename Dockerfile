FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app

COPY requirements.txt .
RUN pip install -r requirements.txt

COPY . .
RUN DEBUG=true python manage.py collectstatic --noinput \
    && useradd --system --uid 10001 --no-create-home apexchainx
USER apexchainx

EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/liveness', timeout=4)"]
CMD ["sh", "-c", "exec gunicorn apexchainx.wsgi:application --preload -k gthread --workers ${WEB_CONCURRENCY:-2} --threads 4 --bind 0.0.0.0:8000 --access-logfile -"]
