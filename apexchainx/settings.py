"""Configuration. Every environment variable is read here once, with its default and what it is for."""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def flag(name: str, *, default: bool) -> bool:
    value = env(name, str(default)).strip().lower()
    if value not in {"true", "1", "yes", "on", "false", "0", "no", "off"}:
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")
    return value in {"true", "1", "yes", "on"}


def number(name: str, default: int) -> int:
    try:
        return int(env(name, str(default)))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from error


def rate(name: str, default: str) -> str:
    value = env(name, default)
    if not re.fullmatch(r"0|[1-9]\d*/(?:[1-9]\d*)?[smhd]", value):
        raise ImproperlyConfigured(f"{name} must look like 100/m or 10/5m, or be 0, not {value!r}.")
    return value


def names(name: str, default: str = "") -> list[str]:
    return [item.strip() for item in env(name, default).split(",") if item.strip()]


def required(name: str, development: str) -> str:
    """A value that production must set: with DEBUG off its absence stops the start."""
    value = env(name) or (development if DEBUG else "")
    if not value:
        raise ImproperlyConfigured(f"{name} must be set when DEBUG is off.")
    return value


# Core

DEBUG = flag("DEBUG", default=False)
# Signs sessions and access tokens.
SECRET_KEY = required("SECRET_KEY", "development-only-key-that-signs-nothing-of-value")
# Host names this site answers to, comma separated.
ALLOWED_HOSTS = names("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]" if DEBUG else "")
# Where the API lives; must start with a slash.
API_V1_PREFIX = env("API_V1_PREFIX", "/api/v1").rstrip("/")
if not API_V1_PREFIX.startswith("/"):
    raise ImproperlyConfigured("API_V1_PREFIX must start with a slash.")
# Where people find this installation; stands in links.
APP_BASE_URL = env("APP_BASE_URL", "http://localhost:8000")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_results",
    "django_ratelimit",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "apexchainx",
    "apexchainx.accounts",
    "apexchainx.jobs",
    "apexchainx.stellar",
    "audit",
    "wallets",
    "outages",
    "sla",
    "payments",
    "disputes",
    "webhooks",
]
MIDDLEWARE = [
    "apexchainx.middleware.CorrelationMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "apexchainx.api.throttling.LimitsMiddleware",
    "apexchainx.middleware.EdgeMiddleware",
    "apexchainx.api.etags.ETagMiddleware",
    "apexchainx.api.cookies.RenewalMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "apexchainx.middleware.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apexchainx.middleware.AdminActorMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "apexchainx.urls"
WSGI_APPLICATION = "apexchainx.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Database

# postgresql://user:password@host:port/name
DATABASES: dict[str, Any] = {
    "default": dj_database_url.parse(
        required("DATABASE_URL", "postgresql://apexchainx@127.0.0.1:5432/apexchainx"), conn_max_age=0
    )
}
# Web processes keep a pool of connections; Celery's forked children hold one each.
DATABASE_POOL = flag("DATABASE_POOL", default=True)
DATABASES["default"]["OPTIONS"] = {
    # A page out of order costs hardly more where there is no disk that turns.
    "options": "-c statement_timeout=30000 -c idle_in_transaction_session_timeout=60000"
    " -c random_page_cost=1.1",
    **DATABASES["default"].get("OPTIONS", {}),
}
if DATABASE_POOL:
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 16, "timeout": 5}
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# Identity

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["apexchainx.accounts.backends.ScopesBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]
# What a password must be: standard (8 characters of four kinds) or nist (15, of any kind).
PASSWORD_POLICY = env("PASSWORD_POLICY", "standard")
POLICIES = {"standard": "CompositionValidator", "nist": "PassphraseValidator"}
if PASSWORD_POLICY not in POLICIES:
    raise ImproperlyConfigured("PASSWORD_POLICY must be standard or nist.")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"apexchainx.accounts.passwords.{name}"}
    for name in (POLICIES[PASSWORD_POLICY], "BlocklistValidator", "OwnAddressValidator")
]
# How long the link in a password reset mail is good for, in seconds.
PASSWORD_RESET_TIMEOUT = number("PASSWORD_RESET_TIMEOUT", 3600)
# So many failed attempts within the window lock an account for so many minutes.
AUTH_MAX_FAILED_ATTEMPTS = number("AUTH_MAX_FAILED_ATTEMPTS", 5)
AUTH_RATE_LIMIT_WINDOW_SECONDS = number("AUTH_RATE_LIMIT_WINDOW_SECONDS", 300)
AUTH_LOCKOUT_DURATION_MINUTES = number("AUTH_LOCKOUT_DURATION_MINUTES", 15)
# Whether an admin without a second factor may do nothing but set one up.
REQUIRE_ADMIN_2FA = flag("REQUIRE_ADMIN_2FA", default=not DEBUG)
OTP_TOTP_ISSUER = "ApexChainX"
OTP_TOTP_THROTTLE_FACTOR = 0  # Attempts are counted at the door, for every kind of code.
# Who may register: open, approval (an admin activates) or closed.
REGISTRATION_MODE = env("REGISTRATION_MODE", "open" if DEBUG else "approval")
if REGISTRATION_MODE not in {"open", "approval", "closed"}:
    raise ImproperlyConfigured("REGISTRATION_MODE must be open, approval or closed.")
# How long an access token is good for.
ACCESS_TOKEN_SECONDS = number("ACCESS_TOKEN_SECONDS", 3600)
# A session ends when it was not used for so many days, and after so many days in any case.
SESSION_IDLE_DAYS = number("SESSION_IDLE_DAYS", number("REFRESH_TOKEN_DAYS", 7))
SESSION_ABSOLUTE_DAYS = number("SESSION_ABSOLUTE_DAYS", 30)
# A refresh token sent again within so many seconds is answered 409 and ends nothing: for clients that race.
AUTH_REFRESH_GRACE_SECONDS = number("AUTH_REFRESH_GRACE_SECONDS", 0)
# Whom tokens are from and for.
TOKEN_ISSUER = TOKEN_AUDIENCE = "apexchainx"
# The domain of the session cookies; without one, the host that set them.
AUTH_COOKIE_DOMAIN = env("AUTH_COOKIE_DOMAIN") or None
# How many event streams one process holds open, and for how many seconds; more are answered at once and end.
AUTH_EVENT_STREAMS = number("AUTH_EVENT_STREAMS", 1)
AUTH_EVENT_SECONDS = number("AUTH_EVENT_SECONDS", 30)

# Mail

# Where mail is handed in; without a host it is printed to the console.
EMAIL_HOST = env("EMAIL_HOST")
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'console'}.EmailBackend"
EMAIL_PORT = number("EMAIL_PORT", 587)
EMAIL_HOST_USER = env("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10
# Whom our mail comes from.
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "ApexChainX <noreply@localhost>")

# The edge

# Browser origins that may call the API, comma separated; a * is refused.
ALLOWED_ORIGINS = names("ALLOWED_ORIGINS")
if any("*" in origin for origin in ALLOWED_ORIGINS):
    raise ImproperlyConfigured("ALLOWED_ORIGINS must name its origins; * is refused.")
CORS_ALLOWED_ORIGINS = ALLOWED_ORIGINS
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
CORS_ALLOW_HEADERS = [
    "authorization",
    "x-correlation-id",
    "idempotency-key",
    "x-idempotency-key",
    "content-type",
    "x-requested-with",
    "x-csrf-token",
    "cache-control",
    "x-api-key",
    "if-none-match",
    "if-match",
]
CORS_EXPOSE_HEADERS = [
    "X-Correlation-ID",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Content-Disposition",
    "ETag",
    "Idempotency-Replayed",
]
# How many calls may be made: by one user or key, by one address without either, of operations that move
# money, and by one address at each door of identity. 0 switches a limit off.
RATE_LIMIT_AUTHENTICATED = rate("RATE_LIMIT_AUTHENTICATED", "100/m")
RATE_LIMIT_ANONYMOUS = rate("RATE_LIMIT_ANONYMOUS", "20/m")
RATE_LIMIT_PAYMENTS = rate("RATE_LIMIT_PAYMENTS", "10/m")
RATE_LIMIT_AUTH = rate("RATE_LIMIT_AUTH", "10/5m")
# Where calls are counted: redis://host:port/db, or without it the database.
CACHE_URL = env("CACHE_URL")
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": CACHE_URL}
    if CACHE_URL
    else {"BACKEND": "apexchainx.api.cache.CounterCache"}
}
# django-ratelimit does not know our cache, nor Django's for Redis; both add and increase atomically.
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.W001"]
# For how long an answer is kept for whoever repeats a request with its idempotency key.
IDEMPOTENCY_KEEP_HOURS = number("IDEMPOTENCY_KEEP_HOURS", 24)
# The largest request body, in bytes.
MAX_REQUEST_BODY_SIZE_BYTES = number("MAX_REQUEST_BODY_SIZE_BYTES", 10 * 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = None  # EdgeMiddleware keeps the limit, for every kind of body.
MAX_AFFECTED_SERVICES_COUNT = number("MAX_AFFECTED_SERVICES_COUNT", 100)
# How many outages one request may import; files of any length are for manage.py import_outages.
MAX_BULK_OUTAGES_COUNT = number("MAX_BULK_OUTAGES_COUNT", 1000)
MAX_DESCRIPTION_LENGTH = number("MAX_DESCRIPTION_LENGTH", 5000)
MAX_WEBHOOK_EVENTS_COUNT = number("MAX_WEBHOOK_EVENTS_COUNT", 50)

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Set to false only where TLS ends in front of this process and plain HTTP never reaches it.
SECURE_SSL_REDIRECT = flag("SECURE_SSL_REDIRECT", default=not DEBUG)
SECURE_REDIRECT_EXEMPT = [r"^health(/|$)"]
SECURE_HSTS_SECONDS = 0 if DEBUG else number("SECURE_HSTS_SECONDS", 31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not DEBUG
# How many proxies of ours stand in front: so many entries of X-Forwarded-For, from the right, are believed.
TRUSTED_PROXY_COUNT = number("TRUSTED_PROXY_COUNT", 0)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEBUG

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apexchainx.api.api_keys.ApiKeyAuthentication",
        "apexchainx.api.authentication.BearerAuthentication",
        "apexchainx.api.authentication.CookieAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apexchainx.api.scopes.HasScope"],
    "DEFAULT_PARSER_CLASSES": ["apexchainx.api.parsers.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["apexchainx.api.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "apexchainx.api.pagination.StyledPagination",
    "DEFAULT_FILTER_BACKENDS": ["apexchainx.api.filters.FilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "apexchainx.api.schema.Schema",
    "DEFAULT_METADATA_CLASS": "apexchainx.api.metadata.Methods",
    "DEFAULT_THROTTLE_CLASSES": ["apexchainx.api.throttling.CallerThrottle"],
    "EXCEPTION_HANDLER": "apexchainx.api.throttling.handle",
    "COERCE_DECIMAL_TO_STRING": False,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ApexChainX",
    "DESCRIPTION": "From a network outage to settled money, with proof.",
    "VERSION": "1.0.0",
    "SCHEMA_PATH_PREFIX": API_V1_PREFIX,
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apexchainx.api.schema.add_errors",
        "apexchainx.api.schema.say_what_is_text",
    ],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "SeverityEnum": "outages.models.Severity",
        "RoleEnum": "apexchainx.accounts.models.Role",
        "OutageStateEnum": "outages.models.Outage.State",
        "OutageStatusEnum": "outages.serializers.outage.PUBLIC_STATES",
        "OutageWordEnum": "outages.serializers.lifecycle.WORDS",
        "FactKindEnum": "outages.models.Fact.Kind",
        "OwnerKindEnum": "wallets.models.Kind",
        "AlarmStatusEnum": "outages.serializers.intake.STATUSES",
        "RcaStatusEnum": "outages.models.RootCauseAnalysis.Status",
        "SLAStandingEnum": "sla.serializers.STANDINGS",
        "SLAStatusEnum": "sla.models.SLAResult.Status",
        "OutcomeEnum": "sla.models.SLAResult.Outcome",
        "RatingEnum": "sla.models.SLAResult.Rating",
        "PaymentStateEnum": "payments.models.Payment.State",
        "DisputeStatusEnum": "disputes.models.Dispute.Status",
        "WalletStatusEnum": "wallets.models.Status",
        "WebhookStatusEnum": "webhooks.models.WebhookStatus",
        "DeliveryStatusEnum": "webhooks.models.DeliveryStatus",
    },
}

# Static files

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# In development files are served from where the apps keep them; production collects them first.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = DEBUG

# Background work

# Rows are the queue; the broker only rings. The default rings on the same PostgreSQL.
CELERY_BROKER_URL = env("CELERY_BROKER_URL") or "pgmq://" + env("DATABASE_URL").partition("://")[2]
PGMQ_OPTIONS = {
    "visibility_timeout": 600,
    "init_extension": False,
    "use_notify": True,
    "wait_time_seconds": 0,
    "polling_interval": 1,
    "pool_size": 2,
}
# The transport would take DATABASE_URL from the environment, whatever the broker's URL says: it is told.
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {**PGMQ_OPTIONS, "conn_string": CELERY_BROKER_URL.replace("pgmq:", "postgresql:", 1)}
    if CELERY_BROKER_URL.startswith("pgmq:")
    else {}
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_RESULT_BACKEND = "apexchainx.jobs.backend.JobBackend"
CELERY_RESULT_EXTENDED = True
CELERY_RESULT_EXPIRES = timedelta(days=30)
CELERY_TASK_TRACK_STARTED = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"payments.tasks.*": {"queue": "signer"}, "webhooks.tasks.*": {"queue": "webhooks"}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 4
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_SEND_TASK_EVENTS = False
SWEEP = {"ignore_result": True, "expires": 30}
CELERY_BEAT_SCHEDULE = {
    "forget what was counted and answered": {
        "task": "apexchainx.accounts.tasks.forget",
        "schedule": 600.0,
        "options": SWEEP,
    },
    "learn words": {"task": "outages.tasks.learn_words", "schedule": 60.0, "options": SWEEP},
    "advance payments": {"task": "payments.tasks.advance", "schedule": 5.0, "options": SWEEP},
    "deliver webhooks": {"task": "webhooks.tasks.deliver", "schedule": 5.0, "options": SWEEP},
}

# Service levels

DEFAULT_TEAM = env("DEFAULT_TEAM", "operations")
DEFAULT_OPERATOR = env("DEFAULT_OPERATOR", "operator")
# How far a declared MTTR may lie from the measured one, in minutes.
SLA_MTTR_TOLERANCE_MINUTES = number("SLA_MTTR_TOLERANCE_MINUTES", 1)
# An outage whose site had the same cause within so many days before is marked as chronic.
CHRONIC_WINDOW_DAYS = number("CHRONIC_WINDOW_DAYS", 90)
# Who judges: our arithmetic alone (local_adapter, or local), or the SLA contract beside it (soroban_rpc, or
# contract), and then no payment sets out before the contract has agreed.
MODES = {"local": "local_adapter", "contract": "soroban_rpc"}
CONTRACT_EXECUTION_MODE = env("CONTRACT_EXECUTION_MODE") or "local_adapter"
CONTRACT_EXECUTION_MODE = MODES.get(CONTRACT_EXECUTION_MODE, CONTRACT_EXECUTION_MODE)
if CONTRACT_EXECUTION_MODE not in MODES.values():
    raise ImproperlyConfigured("CONTRACT_EXECUTION_MODE must be local_adapter or soroban_rpc.")
if CONTRACT_EXECUTION_MODE == "soroban_rpc":
    CELERY_BEAT_SCHEDULE["ask the contract"] = {
        "task": "payments.tasks.advance_contract",
        "schedule": 5.0,
        "options": SWEEP,
    }

# Stellar

# sandbox, testnet or public
STELLAR_NETWORK = env("STELLAR_NETWORK", "sandbox")
STELLAR_HORIZON_URL = env("STELLAR_HORIZON_URL", "http://127.0.0.1:8001")
# Where the Soroban RPC answers; the sandbox ledger speaks both languages at one address.
STELLAR_SOROBAN_URL = env("STELLAR_SOROBAN_URL") or STELLAR_HORIZON_URL
# The SLA contract; the default is where the sandbox ledger has it.
STELLAR_CONTRACT_ID = env("STELLAR_CONTRACT_ID", "CBNRN5Y55FDS55IONSC6SVFM2DABFD7B4LBTEQECT6PALZODD2LBXC2U")
STELLAR_NETWORK_PASSPHRASE = env("STELLAR_NETWORK_PASSPHRASE", "ApexChainX Sandbox Ledger ; 2026")
STELLAR_ASSET_CODE = env("STELLAR_ASSET_CODE", "USDC")
STELLAR_ASSET_ISSUER = env("STELLAR_ASSET_ISSUER")
# The pool that pays rewards; its secret is known to the signer alone.
STELLAR_POOL_ADDRESS = env("STELLAR_POOL_ADDRESS")
STELLAR_POOL_SECRET_FILE = env("STELLAR_POOL_SECRET_FILE")
# Who calls the contract for us, and who governs it; their secrets are known to the signer alone.
STELLAR_CONTRACT_OPERATOR_ADDRESS = env("STELLAR_CONTRACT_OPERATOR_ADDRESS")
STELLAR_CONTRACT_OPERATOR_SECRET_FILE = env("STELLAR_CONTRACT_OPERATOR_SECRET_FILE")
STELLAR_CONTRACT_ADMIN_ADDRESS = env("STELLAR_CONTRACT_ADMIN_ADDRESS")
STELLAR_CONTRACT_ADMIN_SECRET_FILE = env("STELLAR_CONTRACT_ADMIN_SECRET_FILE")
# A payment above this is held for a person.
MAX_AUTO_PAYMENT_AMOUNT = number("MAX_AUTO_PAYMENT_AMOUNT", 10_000)
# How long a signed payment stays valid, in seconds.
PAYMENT_VALID_SECONDS = number("PAYMENT_VALID_SECONDS", 120)
# The highest fee bid per operation, in stroops.
STELLAR_MAX_FEE = number("STELLAR_MAX_FEE", 100_000)
# Seconds until a payment step is tried again, by how often it was tried.
PAYMENT_BACKOFF = (1, 2, 5, 10, 30, 60, 300)
# How long a balance may be answered from the cache.
WALLET_CACHE_TTL_SECONDS = number("WALLET_CACHE_TTL_SECONDS", 60)

# Webhooks

# Let deliveries go to loopback and private networks, and over plain HTTP: for development.
WEBHOOK_ALLOW_PRIVATE_NETWORKS = flag("WEBHOOK_ALLOW_PRIVATE_NETWORKS", default=False)
WEBHOOK_ALLOW_HTTP = flag("WEBHOOK_ALLOW_HTTP", default=False)
# The wall clock limit of one attempt, in seconds.
WEBHOOK_TIMEOUT_SECONDS = number("WEBHOOK_TIMEOUT_SECONDS", 10)
# Seconds until a delivery is tried again, by how often it was tried.
WEBHOOK_BACKOFF = (5, 300, 1800, 7200, 18_000, 36_000, 50_400)
# Encrypts webhook secrets at rest; the default is derived from SECRET_KEY.
WEBHOOK_ENCRYPTION_KEY = env("WEBHOOK_ENCRYPTION_KEY") or SECRET_KEY

# Logging

LOG_LEVEL = env("LOG_LEVEL", "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "apexchainx.logs.formatter", "as_json": not DEBUG}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {name: {"propagate": True, "handlers": []} for name in ("django", "django.server")},
}
