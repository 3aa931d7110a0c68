"""WooCommerce: products, variations, stock, prices and orders of one shop, by its REST API v3."""
