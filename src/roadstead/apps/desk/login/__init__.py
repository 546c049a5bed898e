"""Logging in: accounts, cookies and form tokens, and a provider of OpenID Connect."""
