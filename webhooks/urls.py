from rest_framework.routers import SimpleRouter

from webhooks.views import DeliveryViewSet, WebhookViewSet

router = SimpleRouter(trailing_slash=False)
router.register("webhooks", WebhookViewSet)
router.register("webhooks/(?P<webhook_id>[^/.]+)/deliveries", DeliveryViewSet)
urlpatterns = router.urls
