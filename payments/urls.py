from rest_framework.routers import SimpleRouter

from payments.views import HistoryViewSet

router = SimpleRouter(trailing_slash=False)
router.register("payments/history", HistoryViewSet)
urlpatterns = router.urls
