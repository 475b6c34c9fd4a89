"""Who calls: a signed token, and the user's row."""

from django.core import signing
from rest_framework.authentication import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from apexchainx.accounts.models import User


class UserToken(TokenAuthentication):
    def authenticate_credentials(self, key: str) -> tuple[User, str]:
        try:
            user = User.objects.get(pk=signing.loads(key), is_active=True)
        except (signing.BadSignature, User.DoesNotExist) as error:
            raise AuthenticationFailed from error
        return user, key


def token(user: User) -> str:
    return signing.dumps(user.pk)
