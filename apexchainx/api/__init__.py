"""The edge, once: authentication, scopes, the error envelope, pagination, parsing and rendering."""
