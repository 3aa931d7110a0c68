"""A catalogue of Meta's social shops (Facebook, Instagram): items, stock and prices are shown there, orders never come back."""
