"""What of the sea an image shows: cloud, shadow, glint, and shares of zones."""
