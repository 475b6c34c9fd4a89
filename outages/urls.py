from rest_framework.routers import SimpleRouter

from outages.views.outages import OutageViewSet

router = SimpleRouter(trailing_slash=False)
router.register("outages", OutageViewSet)
urlpatterns = router.urls
