"""Every GraphQL document that the connector sends; tests validate each one against the published schema."""

from __future__ import annotations

from typing import Final

from connectors.vendure import order_documents

_LEVELS: Final = "stockLevels { stockLocationId stockOnHand stockAllocated updatedAt }"

_ITEM: Final = f"""id sku name enabled trackInventory updatedAt
  product {{ id name description enabled updatedAt featuredAsset {{ preview }} }}
  options {{ code name group {{ code name }} }}
  featuredAsset {{ preview }}
  prices {{ currencyCode price }}
  {_LEVELS}"""

SIGN_IN: Final = """mutation SignIn($username: String!, $password: String!) {
  login(username: $username, password: $password) {
    __typename
    ... on CurrentUser { id }
    ... on ErrorResult { errorCode }
  }
}"""

TERMS: Final = """query Terms {
  activeChannel { pricesIncludeTax availableCurrencyCodes }
  stockLocations(options: { take: 1000 }) { items { id } }
}"""

PROBE: Final = """query Probe($window: ProductVariantListOptions!, $newest: ProductVariantListOptions!) {
  window: productVariants(options: $window) { totalItems }
  newest: productVariants(options: $newest) { items { updatedAt } }
}"""

READ_ITEMS: Final = f"""query ReadItems($options: ProductVariantListOptions!) {{
  productVariants(options: $options) {{ totalItems items {{ {_ITEM} }} }}
}}"""

READ_STOCK: Final = f"""query ReadStock($options: ProductVariantListOptions!) {{
  productVariants(options: $options) {{ totalItems items {{ id sku trackInventory {_LEVELS} }} }}
}}"""

SEND_STOCK: Final = """mutation SendStock($input: [UpdateProductVariantInput!]!) {
  updateProductVariants(input: $input) { id trackInventory stockLevels { stockLocationId stockOnHand stockAllocated } }
}"""

SEND_PRICE: Final = """mutation SendPrice($input: [UpdateProductVariantInput!]!) {
  updateProductVariants(input: $input) { id prices { currencyCode price } }
}"""

ALL: Final = {
    "SIGN_IN": SIGN_IN,
    "TERMS": TERMS,
    "PROBE": PROBE,
    "READ_ITEMS": READ_ITEMS,
    "READ_STOCK": READ_STOCK,
    "SEND_STOCK": SEND_STOCK,
    "SEND_PRICE": SEND_PRICE,
    **order_documents.ALL,
}
