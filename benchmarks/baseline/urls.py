from rest_framework.routers import SimpleRouter

from benchmarks.baseline.views import OutageViewSet

router = SimpleRouter(trailing_slash=False)
router.register("api/v1/outages", OutageViewSet, basename="outage")
urlpatterns = router.urls
