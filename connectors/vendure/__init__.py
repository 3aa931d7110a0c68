"""The Vendure connector: variants, stock levels and prices over the GraphQL Admin API, events from a small plugin of ours."""
