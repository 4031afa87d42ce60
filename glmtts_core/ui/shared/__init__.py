"""What several pages draw: sidebar, charts, form fields, the cleanup button."""
