"""Products and variations by REST: what each route shows and takes, batches with their errors object by object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

from connectors.woocommerce.sandbox_catalogue import Catalogue, Product, decimal_text, local, seconds_of, slug_of
from connectors.woocommerce.sandbox_rest import BATCH_MAX, Listed, RestError, Row, changed, check, ids, no_route, truth, whole
from hub.sdk.api import Plain, Response, json_response

KINDS: Final = {
    "name": "string", "sku": "string", "regular_price": "string", "sale_price": "string", "description": "string",
    "status": "string", "type": "string", "global_unique_id": "string", "backorders": "string", "stock_status": "string",
    "stock_quantity": "integer", "manage_stock": "boolean", "virtual": "boolean", "attributes": "array", "meta_data": "array",
}  # fmt: skip
WORDS: Final = {
    "backorders": ("no", "notify", "yes"),
    "stock_status": ("instock", "outofstock", "onbackorder"),
    "status": ("draft", "pending", "private", "publish", "future", "auto-draft", "trash"),
}
INVALID: Final = ("woocommerce_rest_product_invalid_id", "Invalid ID.")
VARIATION_INVALID: Final = ("woocommerce_rest_product_variation_invalid_id", "Invalid ID.")
BY_VARIATION_ROUTE: Final = (
    "To manipulate product variations you should use the /products/&lt;product_id&gt;/variations/&lt;id&gt; endpoint."
)
SIMPLE: Final = {"featured": False, "catalog_visibility": "visible"}


class ProductApi:
    """Routes under /products. `offset` is the site's distance from UTC in seconds, `home` its address."""

    def __init__(
        self,
        catalogue: Catalogue,
        home: str,
        offset: int,
        tax_percent: int,
        deaf: Callable[[], bool],
        worked_off: Callable[[], None],
    ) -> None:
        self._shop = catalogue
        self._home = home
        self._offset = offset
        self._tax = tax_percent
        self._deaf = deaf
        self._worked_off = worked_off

    def answer(self, method: str, parts: list[str], query: Mapping[str, str], body: Row) -> Response:
        """The answer of one route below `products`."""
        match method, parts:
            case "GET", []:
                return self._list(query)
            case "POST", []:
                check(body, KINDS, WORDS)
                return self._made(self._create(body, 0), None)
            case (("POST" | "PUT" | "PATCH"), ["batch"]):
                return self._batch(body, 0)
            case "GET", [ident]:
                return json_response(self._fields(self.show(self._there(ident, 404)), query))
            case (("POST" | "PUT" | "PATCH"), [ident]):
                product = self._there(ident, 400)
                check(body, KINDS, WORDS)
                return json_response(self.show(self._update(product, body), edit=True))
            case "DELETE", [ident]:
                return json_response(self._delete(self._there(ident, 404), truth(query.get("force"))))
            case _, [parent, "variations", *rest] if parent.isdigit():
                return self._of_variations(method, self._there(parent, 404), rest, query, body)
        raise no_route()

    def _of_variations(self, method: str, parent: Product, rest: list[str], query: Mapping[str, str], body: Row) -> Response:
        match method, rest:
            case "GET", []:
                living = [self._shop.products[one] for one in self._shop.children.get(parent.id, [])]
                rows = self._chosen([one for one in living if _status(one, query)], query)
                address = f"{self._home}/wp-json/wc/v3/products/{parent.id}/variations"
                return Listed(query).answer(address, rows, self.show_variation)
            case "POST", []:
                check(body, KINDS, WORDS)
                return self._made(self._create(body, parent.id), parent)
            case (("POST" | "PUT" | "PATCH"), ["batch"]):
                return self._batch(body, parent.id)
            case "GET", [ident]:
                return json_response(self.show_variation(self._child(parent, ident, 404)))
            case (("POST" | "PUT" | "PATCH"), [ident]):
                child = self._child(parent, ident, 400)
                check(body, KINDS, WORDS)
                return json_response(self.show_variation(self._update(child, body, by_variation=True), edit=True))
            case "DELETE", [ident]:
                return json_response(self._delete(self._child(parent, ident, 404), truth(query.get("force"))))
        raise no_route()

    # reading

    def _list(self, query: Mapping[str, str]) -> Response:
        listed = Listed(query)
        named = query.get("sku") or query.get("search_sku")
        rows = [one for one in self._shop.products.values() if (named or not one.parent) and _status(one, query)]
        if query.get("sku"):
            rows = [one for one in rows if one.sku and one.sku in query["sku"].split(",")]
        if query.get("search_sku"):
            rows = [one for one in rows if query["search_sku"].lower() in one.sku.lower()]
        if query.get("search"):
            rows = [one for one in rows if query["search"].lower() in one.name.lower()]
        return listed.answer(f"{self._home}/wp-json/wc/v3/products", self._chosen(rows, query), self.show)

    def _chosen(self, rows: list[Product], query: Mapping[str, str]) -> list[Product]:
        if query.get("include"):
            wanted = set(ids(query["include"]))
            rows = [one for one in rows if one.id in wanted]
        if query.get("exclude"):
            unwanted = set(ids(query["exclude"]))
            rows = [one for one in rows if one.id not in unwanted]
        rows = [
            one
            for one in rows
            if changed(one.modified, query, self._offset, "modified") and changed(one.created, query, self._offset, "")
        ]
        by: dict[str, Callable[[Product], tuple[Plain, int]]] = {
            "id": lambda one: (0, one.id),
            "modified": lambda one: (one.modified, one.id),
            "title": lambda one: (one.name, one.id),
        }
        key = by.get(query.get("orderby", "date"), lambda one: (one.created, one.id))
        return sorted(rows, key=key, reverse=query.get("order", "desc") == "desc")

    def _fields(self, row: Row, query: Mapping[str, str]) -> Row:
        wanted = query.get("_fields")
        return row if not wanted else {name: row[name] for name in wanted.split(",") if name in row}

    def _there(self, ident: str, status: int) -> Product:
        product = self._shop.products.get(whole(ident) or 0)
        if product is None:
            raise RestError(*INVALID, status)
        return product

    def _child(self, parent: Product, ident: str, status: int) -> Product:
        child = self._shop.products.get(whole(ident) or 0)
        if child is None or child.parent != parent.id:
            raise RestError(*VARIATION_INVALID, status)
        return child

    # writing

    def _batch(self, body: Row, parent: int) -> Response:
        if sum(len(body.get(act) or []) for act in ("create", "update", "delete")) > BATCH_MAX:
            words = f"Unable to accept more than {BATCH_MAX} items for this request."
            raise RestError("woocommerce_rest_request_entity_too_large", words, 413)

        def show(one: Product) -> Row:
            return self.show_variation(one, edit=True) if parent else self.show(one, edit=True)

        answer: Row = {}
        acts: dict[str, Callable[[Row], Row]] = {
            "create": lambda given: show(self._create(given, parent)),
            "update": lambda given: show(self._update(self._meant(given, parent), given, by_variation=bool(parent))),
            "delete": lambda given: self._delete(self._meant(given, parent, 404), True),
        }
        for act, done in acts.items():
            if body.get(act):
                answer[act] = [self._each(done, one if isinstance(one, dict) else {"id": one}) for one in body[act]]
        return json_response(answer)

    def _each(self, done: Callable[[Row], Row], given: Row) -> Row:
        try:
            shown = done(given)
        except RestError as refused:
            shown = {"id": whole(given.get("id")) or 0, "error": refused.shown}
        self._worked_off()
        return shown

    def _meant(self, given: Row, parent: int, status: int = 400) -> Product:
        product = self._shop.products.get(whole(given.get("id")) or 0)
        if product is None or (parent and product.parent != parent):
            raise RestError(*(VARIATION_INVALID if parent else INVALID), status)
        return product

    def _create(self, given: Row, parent: int) -> Product:
        sku = given.get("sku")
        if sku and sku in self._shop.by_sku:
            raise _taken(str(sku), self._shop.by_sku[str(sku)])
        product = self._shop.add("variation" if parent else str(given.get("type") or "simple"), parent)
        if not parent:
            product.name = str(given.get("name") or "")
        if self._deaf():
            return product
        self._put(product, given)
        self._shop.saved(product, "created")
        return product

    def _update(self, product: Product, given: Row, *, by_variation: bool = False) -> Product:
        if product.parent and not by_variation:
            raise RestError("woocommerce_rest_invalid_product_id", BY_VARIATION_ROUTE, 404)
        if self._deaf():
            return product
        self._put(product, given)
        self._shop.saved(product)
        return product

    def _put(self, product: Product, given: Row) -> None:
        if given.get("sku") is not None:
            try:
                self._shop.set_sku(product, str(given["sku"]))
            except ValueError as other:
                raise _taken(str(given["sku"]), int(str(other))) from None
        texts = {"name": "name", "description": "description", "status": "status", "global_unique_id": "gtin"}
        for name, own in {**texts, "backorders": "backorders", "stock_status": "stock_status"}.items():
            if given.get(name) is not None and (name != "name" or not product.parent):
                setattr(product, own, str(given[name]))
        if given.get("virtual") is not None:
            product.virtual = truth(given["virtual"])
        if given.get("attributes") is not None:
            product.attributes = [dict(row) for row in given["attributes"]]
        for row in given.get("meta_data") or []:
            product.meta = [one for one in product.meta if one["key"] != row["key"]] + [dict(row)]
        if product.type != "variable":
            self._put_prices(product, given)
        self._put_stock(product, given)

    def _put_prices(self, product: Product, given: Row) -> None:
        if given.get("regular_price") is not None:
            product.regular = decimal_text(given["regular_price"])
        if given.get("sale_price") is not None:
            product.sale = decimal_text(given["sale_price"])
        for name, offset in (("", self._offset), ("_gmt", 0)):
            if f"date_on_sale_from{name}" in given:
                product.sale_from = seconds_of(given[f"date_on_sale_from{name}"], offset)
            if f"date_on_sale_to{name}" in given:
                product.sale_to = seconds_of(given[f"date_on_sale_to{name}"], offset)
        if product.sale and (not product.regular or Decimal(product.sale) >= Decimal(product.regular)):
            product.sale = ""

    def _put_stock(self, product: Product, given: Row) -> None:
        if given.get("manage_stock") is not None:
            product.manages = truth(given["manage_stock"])
        if not product.manages:
            product.quantity = None
        elif given.get("stock_quantity") is not None:
            product.quantity = whole(given["stock_quantity"]) or 0
        elif product.quantity is None:
            product.quantity = 0

    def _delete(self, product: Product, force: bool) -> Row:
        shown = self.show_variation(product, edit=True) if product.parent else self.show(product, edit=True)
        if self._deaf():
            return shown
        if force or product.parent:
            self._shop.forget(product)
        elif product.status == "trash":
            raise RestError("woocommerce_rest_already_trashed", "The product has already been deleted.", 410)
        else:
            self._shop.trash(product)
        return shown

    def _made(self, product: Product, parent: Product | None) -> Response:
        where = f"{self._home}/wp-json/wc/v3/products"
        shown = self.show(product, edit=True) if parent is None else self.show_variation(product, edit=True)
        place = f"{where}/{product.id}" if parent is None else rf"{where}/(?P<product_id>[\d]+)/variations/{product.id}"
        return json_response(shown, 201, {"location": place})

    # showing

    def show(self, product: Product, *, edit: bool = False) -> Row:
        """A product, or a variation, as the route of products shows it; `edit` is how a write answers."""
        variation = bool(product.parent)
        slug = slug_of(self.title(product))
        if product.status == "trash" and not variation:
            slug, link = f"{slug}__trashed", f"{self._home}/?post_type=product&p={product.id}"
        else:
            link = self._link(product)
        shown = {
            "id": product.id, "name": self.title(product), "slug": slug, "permalink": link,
            **self._dates(product), "type": product.type, "status": product.status, **SIMPLE,
            "description": product.description, "short_description": "", "sku": product.sku, **self._prices(product),
            "total_sales": "0" if variation else product.sold, "virtual": product.virtual, "downloadable": False,
            "downloads": [], "download_limit": -1, "download_expiry": -1, "external_url": "", "button_text": "",
            "tax_status": "taxable", "tax_class": "", **self._stock(product), "low_stock_amount": None,
            "sold_individually": False, "weight": "", "dimensions": {"length": "", "width": "", "height": ""},
            "shipping_required": not product.virtual, "shipping_taxable": True, "shipping_class": "", "shipping_class_id": 0,
            "reviews_allowed": not variation, "average_rating": "0" if edit else "0.00", "rating_count": 0, "upsell_ids": [],
            "cross_sell_ids": [], "parent_id": product.parent, "purchase_note": "",
            "categories": [] if variation else [_category(product)], "brands": [], "tags": [],
            "images": [_image(product)] if product.picture and not variation else [], "attributes": self._attributes(product),
            "default_attributes": [],
            "variations": [one for one in self._shop.children.get(product.id, []) if self._shop.products[one].status != "trash"],
            "grouped_products": [], "menu_order": 0, "price_html": self._price_html(product), "related_ids": [],
            "meta_data": [dict(row) for row in product.meta], "stock_status": self._shop.stock_status(product),
            "has_options": product.type == "variable", "post_password": "", "global_unique_id": product.gtin,
        }  # fmt: skip
        if edit:
            shown |= {"permalink_template": f"{self._home}/product/%pagename%/", "generated_slug": slug_of(product.name)}
        return {**shown, "_links": self._links(f"products/{product.id}", "products", product.parent)}

    def show_variation(self, product: Product, *, edit: bool = False) -> Row:
        """A variation as its own route shows it; `edit` is how a write answers."""
        own = {
            "id": product.id, "type": "variation", **self._dates(product), "description": product.description,
            "permalink": self._link(product), "sku": product.sku, "global_unique_id": product.gtin, **self._prices(product),
            "status": product.status, "virtual": product.virtual, "downloadable": False, "downloads": [],
            "download_limit": -1, "download_expiry": -1, "tax_status": "taxable", "tax_class": "parent" if edit else "",
            **self._stock(product),
            "stock_status": self._shop.stock_status(product), "low_stock_amount": None, "weight": "",
            "dimensions": {"length": "", "width": "", "height": ""}, "shipping_class": "", "shipping_class_id": 0,
            "image": _image(product) if product.picture else None, "attributes": self._attributes(product), "menu_order": 0,
            "meta_data": [dict(row) for row in product.meta],
            "name": ", ".join(str(row["option"]) for row in product.attributes), "parent_id": product.parent,
        }  # fmt: skip
        base = f"products/{product.parent}/variations"
        return {**own, "_links": self._links(f"{base}/{product.id}", base, product.parent)}

    def title(self, product: Product) -> str:
        """The name that customers read; a variation's is made of its product's and its options."""
        above = self._shop.products.get(product.parent)
        if above is None:
            return product.name
        return f"{above.name} - {', '.join([str(row['option']) for row in product.attributes])}"

    def _dates(self, product: Product) -> Row:
        shown: Row = {}
        for name, seconds in (("date_created", product.created), ("date_modified", product.modified)):
            shown |= {name: local(seconds, self._offset), f"{name}_gmt": local(seconds, 0)}
        return shown

    def _prices(self, product: Product) -> Row:
        shown: Row = {"price": product.price, "regular_price": product.regular, "sale_price": product.sale}
        for name, seconds in (("date_on_sale_from", product.sale_from), ("date_on_sale_to", product.sale_to)):
            shown |= {name: local(seconds, self._offset), f"{name}_gmt": local(seconds, 0)}
        return {**shown, "on_sale": self._shop.on_sale(product), "purchasable": bool(product.price)}

    def _stock(self, product: Product) -> Row:
        keeper = self._shop.keeper(product)
        return {
            "manage_stock": self._shop.managing(product),
            "stock_quantity": keeper.quantity if keeper else None,
            "backorders": product.backorders,
            "backorders_allowed": product.backorders != "no",
            "backordered": self._shop.stock_status(product) == "onbackorder",
        }

    def _attributes(self, product: Product) -> list[Row]:
        if product.parent:
            rows = [(str(row["name"]), row["option"]) for row in product.attributes]
            return [{"id": 0, "name": name, "slug": slug_of(name), "option": option} for name, option in rows]
        return [
            {
                "id": 0, "name": row["name"], "slug": row["name"], "position": 0, "visible": truth(row.get("visible")),
                "variation": truth(row.get("variation")), "options": row.get("options") or [],
            }
            for row in product.attributes
        ]  # fmt: skip

    def _link(self, product: Product) -> str:
        above = self._shop.products.get(product.parent)
        if above is None:
            return f"{self._home}/product/{slug_of(product.name)}/"
        options = "&".join(f"attribute_{slug_of(str(row['name']))}={row['option']}" for row in product.attributes)
        return f"{self._home}/product/{slug_of(above.name)}/?{options}"

    def _price_html(self, product: Product) -> str:
        if not product.price:
            return ""
        net = (Decimal(product.price) / (1 + Decimal(self._tax) / 100)).quantize(Decimal("0.01"))
        return f'<span class="woocommerce-Price-amount amount"><bdi>{net}</bdi></span>'

    def _links(self, own: str, above: str, parent: int) -> Row:
        base = f"{self._home}/wp-json/wc/v3"
        allow = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        links: Row = {
            "self": [{"href": f"{base}/{own}", "targetHints": {"allow": allow}}],
            "collection": [{"href": f"{base}/{above}"}],
        }
        return {**links, "up": [{"href": f"{base}/products/{parent}"}]} if parent else links


def _status(product: Product, query: Mapping[str, str]) -> bool:
    wanted = query.get("status", "any")
    return product.status not in ("trash", "auto-draft") if wanted == "any" else product.status == wanted


def _taken(sku: str, other: int) -> RestError:
    data = {"status": 400, "resource_id": other, "unique_sku": f"{sku}-1"}
    return RestError("product_invalid_sku", "Invalid or duplicated SKU.", 400, data)


def _category(product: Product) -> Row:
    name = product.category or "Uncategorized"
    return {"id": 15, "name": name, "slug": slug_of(name)}


def _image(product: Product) -> Row:
    return {"id": 0, "src": product.picture, "name": "", "alt": ""}
