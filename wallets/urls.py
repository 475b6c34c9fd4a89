from rest_framework.routers import SimpleRouter

from wallets.views import OwnerViewSet, WalletViewSet

router = SimpleRouter(trailing_slash=False)
router.register("owners", OwnerViewSet)
router.register("wallets", WalletViewSet)
urlpatterns = router.urls
