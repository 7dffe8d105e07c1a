"""The build of the wheel, which holds the kernels as they are compiled for its platform.

Without a C compiler it does not, and is of every platform: its predictions need numba, too. setuptools loads
this module by itself, so that it imports no other of the package.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

LIBRARY = Path("prebuilt", "kernels.so")  # in the package


class BuildWithKernels(build_py):  # type: ignore[misc]  # setuptools has no types
    """Copies the modules, and compiles the kernels."""

    def run(self) -> None:
        super().run()
        done = subprocess.run([sys.executable, "-m", "pipeline.compilation.build_kernels"], check=False)
        library = Path(self.build_lib, "convtext", LIBRARY)
        library.unlink(missing_ok=True)
        if done.returncode:
            self.warn("the kernels are not compiled (is there a C compiler?): convtext will need numba")
        else:
            library.parent.mkdir(exist_ok=True)
            shutil.copy2(Path("pipeline", LIBRARY), library)


class PlatformWheel(bdist_wheel):  # type: ignore[misc]
    """A wheel of one platform, and of every Python, if it holds compiled kernels."""

    def run(self) -> None:
        self.run_command("build")
        build = self.get_finalized_command("build_py")
        if Path(build.build_lib, "convtext", LIBRARY).exists():
            self.root_is_pure = False
            self.distribution.has_ext_modules = lambda: True
        super().run()

    def get_tag(self) -> tuple[str, str, str]:
        _, _, platform = super().get_tag()
        return ("py3", "none", platform)
