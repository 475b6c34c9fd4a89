import django_filters

from wallets.models import Kind, Status, Wallet


class WalletFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=Status.choices)
    kind = django_filters.ChoiceFilter(field_name="owner__kind", choices=Kind.choices)

    class Meta:
        model = Wallet
        fields: tuple[str, ...] = ()
