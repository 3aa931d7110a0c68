"""Every GraphQL document about the catalogue, stock, prices and subscriptions; tests validate each against the schema.

The amounts that a market's customers see are asked for only where the channel is a market's (`$market`).
"""

from __future__ import annotations

from typing import Final

from connectors.shopify.order_documents import ALL as ABOUT_ORDERS

_ITEM: Final = """id sku barcode title price compareAtPrice updatedAt inventoryPolicy requiresComponents
  selectedOptions { name value }
  contextualPricing(context: { country: $country }) @include(if: $market) {
    price { amount currencyCode } compareAtPrice { amount currencyCode }
  }
  inventoryItem { id tracked requiresShipping }
  product {
    id title description handle status productType vendor isGiftCard onlineStoreUrl
    featuredMedia { preview { image { url } } }
  }"""

_ITEM_IN_BULK: Final = """id sku barcode title price compareAtPrice updatedAt inventoryPolicy requiresComponents
  selectedOptions { name value }
  inventoryItem { id tracked requiresShipping }
  product {
    id title description handle status productType vendor isGiftCard onlineStoreUrl
    featuredMedia { preview { image { url } } }
  }"""

_LEVEL: Final = """id updatedAt isActive quantities(names: ["available"]) { name quantity }
  item { id sku tracked variants(first: 3) { nodes { id } } }"""

SHOP: Final = "query Shop { shop { currencyCode taxesIncluded myshopifyDomain } }"

MARKET: Final = "query Market($list: ID!) { priceList(id: $list) { id currency } }"

COUNT: Final = "query HowMany { productVariantsCount(limit: null) { count precision } }"

LOCATIONS: Final = """query Locations($first: Int!, $after: String) {
  locations(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
}"""

READ_ITEMS: Final = f"""query ReadItems(
  $first: Int!, $after: String, $query: String, $market: Boolean!, $country: CountryCode!
) {{
  productVariants(first: $first, after: $after, query: $query, sortKey: ID) {{
    nodes {{ {_ITEM} }}
    pageInfo {{ hasNextPage endCursor }}
  }}
}}"""

LOOK_UP_ITEMS: Final = f"""query LookUpItems($ids: [ID!]!, $market: Boolean!, $country: CountryCode!) {{
  nodes(ids: $ids) {{ __typename ... on ProductVariant {{ {_ITEM} }} }}
}}"""

READ_LEVELS: Final = f"""query ReadLevels($location: ID!, $first: Int!, $after: String, $query: String) {{
  location(id: $location) {{
    id
    inventoryLevels(first: $first, after: $after, query: $query) {{
      nodes {{ {_LEVEL} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}"""

LOOK_UP_LEVELS: Final = f"""query LookUpLevels($ids: [ID!]!) {{
  nodes(ids: $ids) {{ __typename ... on InventoryLevel {{ {_LEVEL} location {{ id }} }} }}
}}"""

LOOK_UP_STOCK: Final = """query LookUpStock($ids: [ID!]!, $location: ID!) {
  nodes(ids: $ids) {
    __typename
    ... on ProductVariant {
      id
      inventoryItem {
        id sku tracked
        inventoryLevel(locationId: $location) { id updatedAt isActive quantities(names: ["available"]) { name quantity } }
      }
    }
  }
}"""

ITEMS_IN_BULK: Final = f"{{ productVariants {{ edges {{ node {{ {_ITEM_IN_BULK} }} }} }} }}"

LEVELS_IN_BULK: Final = """{
  productVariants {
    edges { node {
      id
      inventoryItem { inventoryLevels { edges { node {
        id updatedAt isActive quantities(names: ["available"]) { name quantity } location { id } item { id sku tracked }
      } } } }
    } }
  }
}"""

RUN_BULK: Final = """mutation RunBulk($query: String!) {
  bulkOperationRunQuery(query: $query) { bulkOperation { id status } userErrors { field message code } }
}"""

BULK: Final = """query Bulk($id: ID!) { bulkOperation(id: $id) { id status errorCode url fileSize objectCount } }"""

LOOK_AT_STOCK: Final = """query LookAtStock($ids: [ID!]!, $location: ID!) {
  nodes(ids: $ids) {
    __typename
    ... on ProductVariant {
      id
      inventoryItem {
        id tracked
        inventoryLevel(locationId: $location) { isActive quantities(names: ["available"]) { name quantity } }
      }
    }
  }
}"""

SET_STOCK: Final = """mutation SetStock($input: InventorySetQuantitiesInput!, $location: ID!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup {
      id
      changes(quantityNames: ["available"]) {
        name delta
        item { id inventoryLevel(locationId: $location) { quantities(names: ["available"]) { name quantity } } }
      }
    }
    userErrors { field message code }
  }
}"""

STOCK_HERE: Final = """mutation StockHere($item: ID!, $location: ID!, $available: Int!, $key: String!) {
  inventoryActivate(inventoryItemId: $item, locationId: $location, available: $available) @idempotent(key: $key) {
    inventoryLevel { id isActive quantities(names: ["available"]) { name quantity } }
    userErrors { field message }
  }
}"""

LOOK_AT_PRICES: Final = """query LookAtPrices($ids: [ID!]!) {
  nodes(ids: $ids) { __typename ... on ProductVariant { id product { id } } }
}"""

SET_LIST_PRICES: Final = """mutation SetListPrices($list: ID!, $prices: [PriceListPriceInput!]!) {
  priceListFixedPricesAdd(priceListId: $list, prices: $prices) {
    prices { variant { id } price { amount currencyCode } }
    userErrors { field message code }
  }
}"""


def set_prices(products: int) -> str:
    """The document that sets the prices of the variants of so many products, each in a field of its own: m0, m1, …"""
    declared = ", ".join(f"$p{place}: ID!, $v{place}: [ProductVariantsBulkInput!]!" for place in range(products))
    fields = "\n  ".join(
        f"m{place}: productVariantsBulkUpdate(productId: $p{place}, variants: $v{place}, allowPartialUpdates: true) "
        "{ productVariants { id price } userErrors { field message code } }"
        for place in range(products)
    )
    return f"mutation SetPrices({declared}) {{\n  {fields}\n}}"


SUBSCRIPTIONS: Final = """query Subscriptions($first: Int!, $after: String) {
  webhookSubscriptions(first: $first, after: $after) {
    nodes { id topic uri format includeFields filter apiVersion { handle } createdAt updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}"""

SUBSCRIBE: Final = """mutation Subscribe($topic: WebhookSubscriptionTopic!, $subscription: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $subscription) {
    webhookSubscription { id topic uri }
    userErrors { field message }
  }
}"""

RESUBSCRIBE: Final = """mutation Resubscribe($id: ID!, $subscription: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $subscription) {
    webhookSubscription { id topic uri }
    userErrors { field message }
  }
}"""

ALL: Final = {
    **{
        name: value for name, value in globals().items() if name.isupper() and not name.startswith("_") and isinstance(value, str)
    },
    "SET_PRICES": set_prices(2),
    **ABOUT_ORDERS,
}
