"""Shopify, by its Admin API (GraphQL)."""
