from rest_framework.routers import SimpleRouter

from apexchainx.jobs.views import JobViewSet

router = SimpleRouter(trailing_slash=False)
router.register("jobs", JobViewSet)
urlpatterns = router.urls
