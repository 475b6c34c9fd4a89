from rest_framework.routers import SimpleRouter

from disputes.views import DisputeViewSet

router = SimpleRouter(trailing_slash=False)
router.register("sla/disputes", DisputeViewSet)
urlpatterns = router.urls
