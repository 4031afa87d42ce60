"""HTTP on the app's own port: routes, downloads, and who may reach them."""
