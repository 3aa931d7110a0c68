"""Tryton as an ERP: products, stock per location and list prices over its JSON-RPC."""
