"""Square (point of sale): catalogue, prices and stock counts per location.

It may never import anything of the hub but `hub.sdk`, nor any other connector. The hub's registry loads it by its manifest.
"""
