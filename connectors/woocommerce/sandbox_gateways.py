"""Payment gateways as the API shows them: enough to switch one on."""

from __future__ import annotations

from typing import Final

from connectors.woocommerce.sandbox_rest import Row

FIELDS: Final = {
    "title": "safe_text",
    "instructions": "textarea",
    "enable_for_methods": "multiselect",
    "enable_for_virtual": "checkbox",
}


def gateway(ident: str, enabled: bool, home: str) -> Row:
    """One gateway."""
    settings: Row = {
        name: {
            "id": name, "label": name, "description": "", "type": kind, "value": "", "default": "", "tip": "", "placeholder": "",
        }
        for name, kind in FIELDS.items()
    }  # fmt: skip
    settings["enable_for_methods"]["options"] = {"Flat rate": {"flat_rate": ""}}
    base = f"{home}/wp-json/wc/v3/payment_gateways"
    return {
        "id": ident, "title": ident, "description": "", "order": "", "enabled": enabled, "method_title": ident,
        "method_description": "", "method_supports": ["products"], "settings": settings, "needs_setup": False,
        "post_install_scripts": [], "settings_url": f"{home}/wp-admin/admin.php?page=wc-settings&tab=checkout&section={ident}",
        "connection_url": None, "setup_help_text": None, "required_settings_keys": [],
        "_links": {
            "self": [{"href": f"{base}/{ident}", "targetHints": {"allow": ["GET", "POST", "PUT", "PATCH"]}}],
            "collection": [{"href": base}],
        },
    }  # fmt: skip
