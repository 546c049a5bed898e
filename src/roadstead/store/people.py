"""People, their passwords (Argon2id, RFC 9106: 64 MiB a check, few at a time), sessions and visits."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, func, insert, select, update

from roadstead.core.errors import LogInError, UsageError
from roadstead.core.turnstile import Turnstile
from roadstead.store import desk_schema
from roadstead.store.desk_schema import ROLES
from roadstead.store.rows import table_of

if TYPE_CHECKING:
    from roadstead.store.store import Store


USER, SESSION, VISIT = (
    table_of(entity) for entity in (desk_schema.User, desk_schema.Session, desk_schema.Visit)
)
_PERSON = (USER.c.name, USER.c.role, USER.c.created, USER.c.disabled)
_UNTIED = {"oidc_issuer": None, "oidc_subject": None}
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
SHORTEST, LONGEST = 10, 200
AT_ONCE, WAITING = 2, 8
"""Checks at once, 128 MiB in all, and threads that wait for one."""
_HASHER = PasswordHasher()
_FEW = Turnstile("passwords are checked", AT_ONCE, WAITING)


@dataclass(frozen=True)
class Person:
    """One user, without the password."""

    name: str
    role: str
    created: datetime
    disabled: bool


def plain_name(name: str) -> str:
    """Return a name as it is stored.

    Raises:
        UsageError: it is no name.
    """
    lower = name.strip().lower()
    if not NAME.fullmatch(lower):
        raise UsageError(
            f"user name {name!r}: write 1 to 40 of a-z, 0-9, '.', '_', '-', a letter or digit first"
        )
    return lower


class People:
    """The users of a store."""

    def __init__(self, store: Store) -> None:
        """Take an open store."""
        self._store = store

    def any(self) -> bool:
        """Whether there is any user, disabled ones included."""
        with self._store.transaction(writes=False) as connection:
            return _any(connection)

    def all(self) -> tuple[Person, ...]:
        """Return all users by name."""
        chosen = select(*_PERSON).order_by(USER.c.name)
        with self._store.transaction(writes=False) as connection:
            return tuple(Person(*row) for row in connection.execute(chosen))

    def add(
        self,
        name: str,
        role: str,
        password_hash: str,
        now: datetime,
        *,
        replace: bool = False,
        first: bool = False,
    ) -> Person:
        """Add a user; with ``replace`` one of that name gets this role and password, no account, and the sessions end.

        Args:
            name: Letters, digits, ``.``, ``_``, ``-``; kept in lower case.
            role: One of `ROLES`.
            password_hash: Argon2.
            now: UTC.
            replace: Whether the name may be taken.
            first: Refuse where there is any user already.

        Raises:
            UsageError: a bad name or role, or the name is taken.
        """
        key = plain_name(name)
        if role not in ROLES:
            raise UsageError(f"role {role!r}: choose from {', '.join(ROLES)}")
        row = {"role": role, "password_hash": password_hash, "disabled": False, **_UNTIED}
        with self._store.transaction(writes=True) as connection:
            if first and _any(connection):
                raise UsageError("there is a user already: ask an admin, or run 'roadstead review add-user'")
            taken = connection.scalar(select(USER.c.name).where(USER.c.name == key)) is not None
            if taken and not replace:
                raise UsageError(f"user {key!r} is there already: --replace sets a new password and role")
            if taken:
                connection.execute(update(USER).where(USER.c.name == key).values(row))
                connection.execute(delete(SESSION).where(SESSION.c.user_name == key))
            else:
                connection.execute(insert(USER), [{"name": key, "created": now, **row}])
        return Person(key, role, now, False)

    def disable(self, name: str) -> None:
        """Shut a user out and end the sessions; the name stays taken.

        Raises:
            UsageError: no such user, or the last admin.
        """
        key = plain_name(name)
        with self._store.transaction(writes=True) as connection:
            role = connection.scalar(select(USER.c.role).where(USER.c.name == key))
            if role is None:
                raise UsageError(f"there is no user {key!r}")
            others = select(func.count()).where(
                USER.c.role == "admin", USER.c.disabled.is_(False), USER.c.name != key
            )
            if role == "admin" and not connection.scalar(others):
                raise UsageError(f"{key!r} is the last admin: add another first")
            connection.execute(update(USER).where(USER.c.name == key).values(disabled=True))
            connection.execute(delete(SESSION).where(SESSION.c.user_name == key))

    def of_account(self, issuer: str, subject: str, name: str) -> Person:
        """Return the user whom an account at a provider is tied to, or tie it to the user whose name it gives.

        The account is what its issuer and subject say together; the name counts the first time alone (OpenID Connect
        Core 1.0, 5.7: no other claim is sure to stay with one person).

        Args:
            issuer: of the ID token, ``iss``.
            subject: of the ID token, ``sub``.
            name: that the provider has for the account.

        Raises:
            LogInError: nobody has that name, another account is tied to it, or the user is shut out.
        """
        account = (USER.c.oidc_issuer == issuer, USER.c.oidc_subject == subject)
        chosen = select(*_PERSON, USER.c.oidc_subject)
        with self._store.transaction(writes=True) as connection:
            row = connection.execute(chosen.where(*account)).one_or_none()
            if row is None:
                row = connection.execute(chosen.where(USER.c.name == name.lower())).one_or_none()
                if row is None:
                    raise LogInError(
                        f"nobody of the name {name[:40]!r} is known here: an admin adds you first"
                    )
                if row.oidc_subject is not None:
                    raise LogInError(
                        f"{row.name!r} logs in with another account; if yours is a new one, an admin runs "
                        f"'roadstead review untie-user {row.name}'"
                    )
            if row.disabled:
                raise LogInError(f"{row.name!r} may log in no longer")
            if row.oidc_subject is None:
                tied = {"oidc_issuer": issuer, "oidc_subject": subject}
                connection.execute(update(USER).where(USER.c.name == row.name).values(tied))
            return Person(*row[: len(_PERSON)])

    def untie(self, name: str) -> None:
        """Forget a user's account at the provider and end the sessions; the next one that gives the name is tied.

        Raises:
            UsageError: no such user, or no account is tied.
        """
        key = plain_name(name)
        with self._store.transaction(writes=True) as connection:
            row = connection.execute(select(USER.c.oidc_subject).where(USER.c.name == key)).one_or_none()
            if row is None:
                raise UsageError(f"there is no user {key!r}")
            if row.oidc_subject is None:
                raise UsageError(f"no account of a provider is tied to {key!r}")
            connection.execute(update(USER).where(USER.c.name == key).values(_UNTIED))
            connection.execute(delete(SESSION).where(SESSION.c.user_name == key))

    def named(self, name: str) -> Person | None:
        """Return the user of a name, also one who is shut out; None where there is none."""
        chosen = select(*_PERSON).where(USER.c.name == name.strip().lower())
        with self._store.transaction(writes=False) as connection:
            row = connection.execute(chosen).one_or_none()
        return None if row is None else Person(*row)

    def password_hash(self, name: str) -> str | None:
        """Return the password hash of a user who may log in; None where there is none."""
        chosen = select(USER.c.password_hash).where(
            USER.c.name == name.strip().lower(), USER.c.disabled.is_(False)
        )
        with self._store.transaction(writes=False) as connection:
            found: str | None = connection.scalar(chosen)
            return found

    def start_session(self, name: str, token: str, now: datetime, expires: datetime) -> None:
        """Keep a session of a user and note the visit; sessions that have ended go."""
        key = name.strip().lower()
        row = {"token_sha256": _sha256(token), "user_name": key, "created": now, "expires": expires}
        with self._store.transaction(writes=True) as connection:
            connection.execute(delete(SESSION).where(SESSION.c.expires <= now))
            connection.execute(insert(SESSION), [row])
            here = select(VISIT.c.started).where(VISIT.c.user_name == key, VISIT.c.started == now)
            if connection.scalar(here) is None:
                connection.execute(insert(VISIT), [{"user_name": key, "started": now}])

    def of_session(self, token: str, now: datetime) -> Person | None:
        """Return whose session this is; None where it has ended, or the user may not log in."""
        chosen = (
            select(*_PERSON)
            .join(SESSION, SESSION.c.user_name == USER.c.name)
            .where(
                SESSION.c.token_sha256 == _sha256(token), SESSION.c.expires > now, USER.c.disabled.is_(False)
            )
        )
        with self._store.transaction(writes=False) as connection:
            row = connection.execute(chosen).one_or_none()
        return None if row is None else Person(*row)

    def end_session(self, token: str) -> None:
        """End a session."""
        with self._store.transaction(writes=True) as connection:
            connection.execute(delete(SESSION).where(SESSION.c.token_sha256 == _sha256(token)))

    def visit_before(self, name: str) -> datetime | None:
        """Return when a user logged in the time before this one; None on the first visit."""
        chosen = select(VISIT.c.started).where(VISIT.c.user_name == name)
        with self._store.transaction(writes=False) as connection:
            last_two = connection.scalars(chosen.order_by(VISIT.c.started.desc()).limit(2)).all()
        return last_two[1] if len(last_two) == 2 else None


def _any(connection: Connection) -> bool:
    return connection.scalar(select(USER.c.name).limit(1)) is not None


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def hashed(password: str) -> str:
    """Return the hash to keep.

    Raises:
        UsageError: the password is too short or too long.
        BusyError: too many passwords are checked already.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"the password has {len(password)} characters: give {SHORTEST} to {LONGEST}")
    with _FEW.turn():
        return _HASHER.hash(password)


def fits(password: str, kept: str | None) -> bool:
    """Whether a password is the one kept; takes as long where none is kept.

    Raises:
        BusyError: too many passwords are checked already.
    """
    if len(password) > LONGEST:
        return False
    with _FEW.turn():
        try:
            return _HASHER.verify(kept or _nobody(), password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobody() -> str:
    """Return a hash of nobody's password, checked where there is no such user."""
    return _HASHER.hash(secrets.token_urlsafe())
