"""Where saliency falls against tissues: measures with their chance levels, a null that keeps the
map's texture, and contrasts.
"""
