"""numba's cache of compiled kernels where it can be read but not written, as in a container.

`NUMBA_CACHE_LOCATOR_CLASSES=convtext.compilation.kernel_cache.ReadOnlyCache` has numba use it. Its own
locators pass a folder by that cannot be written to, whatever kernels lie in it.
"""

from __future__ import annotations

from numba.core.caching import InTreeCacheLocator


class ReadOnlyCache(InTreeCacheLocator):  # type: ignore[misc]  # numba has no types
    """The folder __pycache__ beside the module, whether it can be written to or not."""

    def ensure_cache_path(self) -> None:
        """Check nothing: to compile into a folder that cannot be written to is an error there."""
