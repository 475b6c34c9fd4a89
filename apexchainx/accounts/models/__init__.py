"""Who may enter, as what, and for how long."""

from apexchainx.accounts.models.users import SCOPES, Role, User, UserManager

__all__ = ["SCOPES", "Role", "User", "UserManager"]
