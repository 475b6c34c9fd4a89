"""Sessions: begun by a login, kept alive by one-time refresh tokens, ended at once."""

import hashlib
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apexchainx import context
from apexchainx.accounts.models import EndReason, Session, User
from apexchainx.accounts.services import lockout, signing
from apexchainx.accounts.services.signing import Claims, Kind
from apexchainx.errors import Conflict, NotFound, Unauthenticated
from audit.events import Event
from audit.log import record

NONE_SUCH = "You have no such session."
OVER = "This session has ended. Log in again."
# A renewal within this of the last use is no new use: the pages of one client come many at once.
SAME_USE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Client:
    """Where a session is used from, for its owner to recognise."""

    address: str = ""
    user_agent: str = ""


NOWHERE = Client()


@dataclass(frozen=True, slots=True)
class Tokens:
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    session: Session

    @property
    def user(self) -> User:
        return self.session.user


@transaction.atomic
def begin(
    user: User,
    *,
    client: Client = NOWHERE,
    impersonator: User | None = None,
    lifetime: timedelta | None = None,
) -> Tokens:
    """A new session of a user whose right to one has just been seen.

    Raises Unauthenticated where the password or the account has changed since `user` was read: what was seen
    was the old one.
    """
    owner = User.objects.select_for_update(no_key=True).filter(pk=user.pk).first()
    if owner is None or (owner.password, owner.is_active) != (user.password, True):
        raise Unauthenticated("The account has changed meanwhile. Log in again.")
    now = timezone.now()
    session = Session(
        user=owner,
        impersonator=impersonator,
        created_at=now,
        last_used_at=now,
        expires_at=now + (lifetime or timedelta(days=settings.SESSION_ABSOLUTE_DAYS)),
        address=client.address[:64],
        user_agent=client.user_agent[:200],
    )
    refresh_token = next_token(session)
    session.save(force_insert=True)
    return Tokens(access_token(session), refresh_token, session)


def refresh(token: str, *, client: Client = NOWHERE) -> Tokens:
    """New tokens for a refresh token that has not been used.

    A used one is in two hands: it ends its session for both, and raises Unauthenticated like everything that
    is no refresh token of a live session. Raises Conflict where it comes again within the period of grace,
    and TooMany, without using the token, where the account is locked for this client.
    """
    claims = signing.check(token, Kind.REFRESH)
    if claims is None:
        raise Unauthenticated("The refresh token is not valid. Log in again.")
    tokens = exchange(claims, digest(token), client)
    if tokens is None:
        raise Unauthenticated("The refresh token was used before, so this session has ended. Log in again.")
    return tokens


@transaction.atomic
def exchange(claims: Claims, presented: str, client: Client) -> Tokens | None:
    """The next tokens of the family, or None and its end if `presented` was exchanged before."""
    session = held(claims)
    act_as_holder(session)
    if session.refresh_digest != presented:
        refuse_within_grace(session, claims)
        end(session, EndReason.TOKEN_REUSED)
        record(Event.REFRESH_TOKEN_REUSED, session.subject, session_id=session.pk, address=client.address)
        return None
    lockout.refuse_locked(session.user, address=client.address)
    refresh_token = advance(session, client)
    record(Event.TOKEN_REFRESHED, session.subject, session_id=session.pk)
    return Tokens(access_token(session), refresh_token, session)


def held(claims: Claims) -> Session:
    """The live session of these claims, locked. Raises Unauthenticated where there is none."""
    session = (
        Session.objects.live(timezone.now())
        .select_for_update(of=("self",))
        .select_related("user")
        .filter(pk=claims.session_id, user_id=claims.user_id)
        .first()
    )
    if session is None:
        raise Unauthenticated(OVER)
    return session


def advance(session: Session, client: Client) -> str:
    """The next refresh token of the family: from here on, only that one counts."""
    session.generation += 1
    session.last_used_at = session.refreshed_at = timezone.now()
    session.address, session.user_agent = client.address[:64], client.user_agent[:200]
    token = next_token(session)
    session.save(
        update_fields=(
            *("generation", "last_used_at", "refreshed_at"),
            *("address", "user_agent", "refresh_digest"),
        )
    )
    return token


def refuse_within_grace(session: Session, claims: Claims) -> None:
    """Two pages of one client may send the same token: only the last one exchanged, and only for a moment."""
    if session.refreshed_at is None or claims.generation != session.generation - 1:
        return
    if timezone.now() < session.refreshed_at + timedelta(seconds=settings.AUTH_REFRESH_GRACE_SECONDS):
        raise Conflict("This refresh token has just been exchanged. Use the tokens of that answer.")


def of_access_token(token: str) -> Session | None:
    """The live session, with its user, that an access token belongs to: one query."""
    claims = signing.check(token, Kind.ACCESS)
    return named(claims, at=timezone.now()) if claims else None


def of_any_token(access: str, renewal: str) -> Session | None:
    """The session, live or not, that an access or else a refresh token belongs to."""
    claims = signing.check(access, Kind.ACCESS) or signing.check(renewal, Kind.REFRESH)
    return named(claims, at=None) if claims else None


def named(claims: Claims, *, at: datetime | None) -> Session | None:
    sessions = Session.objects.live(at) if at else Session.objects.all()
    return sessions.select_related("user").filter(pk=claims.session_id, user_id=claims.user_id).first()


def as_it_stands(session_id: uuid.UUID) -> Session | None:
    return Session.objects.select_related("user").filter(pk=session_id).first()


def of_refresh_token(token: str) -> Session | None:
    """The live session whose newest refresh token this is."""
    claims = signing.check(token, Kind.REFRESH)
    session = named(claims, at=timezone.now()) if claims else None
    return session if session and session.refresh_digest == digest(token) else None


def renew(session: Session) -> str:
    """A new access token, while the refresh token stays: for cookies, whose requests come many at once."""
    if session.last_used_at <= timezone.now() - SAME_USE:
        touch(session)
    return access_token(session)


@transaction.atomic
def touch(session: Session) -> None:
    """The session is in use. Of several that say so at once, one writes it.

    Raises Unauthenticated where it has ended meanwhile.
    """
    now = timezone.now()
    live = Session.objects.live(now).select_for_update(of=("self",)).filter(pk=session.pk).first()
    if live is None:
        raise Unauthenticated(OVER)
    if live.last_used_at > now - SAME_USE:
        return
    live.last_used_at = now
    live.save(update_fields=("last_used_at",))
    act_as_holder(live)
    record(Event.TOKEN_RENEWED, live.subject, session_id=live.pk)


@transaction.atomic
def logout(session: Session) -> None:
    """The tokens of this session are refused from now on."""
    if end(session, EndReason.LOGGED_OUT):
        record(Event.LOGGED_OUT, session.subject, session_id=session.pk)


@transaction.atomic
def logout_everywhere(user: User) -> int:
    """The tokens of all sessions of the user are refused from now on. Answers how many."""
    count = end_all(user, EndReason.LOGGED_OUT_EVERYWHERE)
    record(Event.LOGGED_OUT_EVERYWHERE, f"user:{user.pk}", sessions=count)
    return count


@transaction.atomic
def end_sessions_of(user: User) -> int:
    """An admin ends what the user has open."""
    count = end_all(user, EndReason.ADMIN_LOGOUT)
    record(Event.SESSIONS_ENDED, f"user:{user.pk}", sessions=count)
    return count


@transaction.atomic
def remove(user: User, session_id: str) -> None:
    """The user ends one session of their own. Raises NotFound for another's, and for one that is over."""
    session = user.sessions.live(timezone.now()).filter(pk=identified(session_id)).first()
    if session is None or not end(session, EndReason.REMOVED):
        raise NotFound(NONE_SUCH)
    record(Event.SESSION_REMOVED, session.subject, session_id=session.pk)


def end(session: Session, reason: EndReason) -> bool:
    """False where it was over already: the first reason stands."""
    open_one = Session.objects.open().filter(pk=session.pk)
    return open_one.update(ended_at=timezone.now(), ended_reason=reason) == 1


def end_all(user: User, reason: EndReason) -> int:
    """Those in other people's names as well; under the user's lock, so that no login slips in between."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    theirs = Session.objects.open().filter(Q(user=user) | Q(impersonator=user))
    return theirs.update(ended_at=timezone.now(), ended_reason=reason)


def act_as_holder(session: Session) -> None:
    """From here on, facts are the user's, or an admin's in the user's name."""
    context.act_as(str(session.user_id), impersonator=str(session.impersonator_id or ""))


def access_token(session: Session) -> str:
    lives = timedelta(seconds=settings.ACCESS_TOKEN_SECONDS)
    return signing.sign(
        claims_of(session), Kind.ACCESS, until=min(timezone.now() + lives, session.expires_at)
    )


def next_token(session: Session) -> str:
    """The refresh token of the session's generation, which from now on is its newest."""
    token = signing.sign(claims_of(session), Kind.REFRESH, until=session.expires_at)
    session.refresh_digest = digest(token)
    return token


def claims_of(session: Session) -> Claims:
    return Claims(str(session.user_id), session.pk, session.generation)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def identified(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise NotFound(NONE_SUCH) from error
