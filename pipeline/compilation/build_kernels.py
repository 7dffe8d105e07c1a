"""`python -m pipeline.compilation.build_kernels`: compile the kernels into a shared library.

numba compiles each kernel for its signatures and shows the code of LLVM, from which LLVM makes an object; the
C compiler links the objects. On x86-64 each kernel is there for several levels of processors, as numba uses
what the one at hand can do. `native_kernels` calls the functions.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..environment.checkout import python_path
from ..environment.program import PACKAGE
from ..files import atomic_write
from .native_kernels import LIBRARY, SOURCES, contents, source_digest

# By level, the processors that LLVM compiles for; NumPy's own wheels need the first.
PROCESSORS = {2: "x86-64-v2", 3: "x86-64-v3", 4: "x86-64-v4"}
if platform.machine() != "x86_64":
    PROCESSORS = {0: "generic"}
# The function alone, and none of it for numba's cache, which would not notice what is left out.
OPTIONS = {"cache": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
# What the functions call for the memory of arrays, instead of numba's runtime, and the processor's level.
SUPPORT = r"""
#include <stdint.h>
#include <stdlib.h>

typedef struct {
    size_t references;
    void *destructor, *destructor_info, *data;
    size_t size;
    void *allocator;
} Memory;

void *NRT_MemInfo_alloc_aligned(size_t size, uint32_t alignment) {
    if (alignment < 64) alignment = 64;  // TensorFlow copies arrays that do not begin at a line of the cache
    size_t most = sizeof(Memory) + alignment - 1;  // before the array; posix_memalign keeps less for reuse
    Memory *memory;
    if (size > SIZE_MAX - most || !(memory = malloc(most + size))) return NULL;
    uintptr_t data = ((uintptr_t)(memory + 1) + alignment - 1) / alignment * alignment;
    *memory = (Memory){1, NULL, NULL, (void *)data, size, NULL};
    return memory;
}

void NRT_MemInfo_call_dtor(Memory *memory) { free(memory); }

void *NRT_Allocate(size_t size) { return malloc(size); }

void NRT_Free(void *memory) { free(memory); }

void release(Memory *memory) {
    if (__atomic_sub_fetch(&memory->references, 1, __ATOMIC_ACQ_REL) == 0) free(memory);
}

int processor_level(void) {
#if defined(__x86_64__)
#define HAS(feature) __builtin_cpu_supports(feature)
    __builtin_cpu_init();
    if (!(HAS("avx2") && HAS("bmi") && HAS("bmi2") && HAS("fma"))) return 2;
    if (!(HAS("avx512f") && HAS("avx512bw") && HAS("avx512cd"))) return 3;
    return HAS("avx512dq") && HAS("avx512vl") ? 4 : 3;
#else
    return 0;
#endif
}
"""


def build() -> None:
    """Write the library, unless it is there and of these sources.

    Raises OSError or SubprocessError if it cannot be built, as without a C compiler.
    """
    sources, compiler = source_digest(), shlex.split(os.environ.get("CC", "cc"))
    if contents().get("sources") == sources:
        return
    if not shutil.which(compiler[0]):  # before numba takes its time
        raise FileNotFoundError(f"there is no C compiler {compiler[0]}")
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        workers = {level: _start_worker(level, folder) for level in PROCESSORS}
        if any([worker.wait() for worker in workers.values()]):
            raise subprocess.SubprocessError("numba could not compile the kernels")
        levels = {level: json.loads((folder / f"{level}.json").read_text("utf-8")) for level in workers}
        text = json.dumps(json.dumps({"sources": sources, "levels": levels}))  # quoted as in C
        (folder / "support.c").write_text(f"{SUPPORT}\nconst char *contents = {text};\n", "utf-8")
        with atomic_write(LIBRARY) as path:
            _link(compiler, [folder / "support.c", *folder.glob("*.o")], path)


def _start_worker(level: int, folder: Path) -> subprocess.Popen[bytes]:
    """Compile for a level, in a process of its own: numba compiles for one processor."""
    settings = {
        "NUMBA_CPU_NAME": PROCESSORS[level],
        "NUMBA_CPU_FEATURES": "",
        "PYTHONPATH": python_path(),
    }
    command = [sys.executable, "-m", f"{PACKAGE}.compilation.build_kernels", str(level), str(folder)]
    return subprocess.Popen(command, env=os.environ | settings)


def _link(compiler: list[str], parts: list[Path], library: Path) -> None:
    complete = ["-Wl,-z,defs"] if sys.platform == "linux" else []  # a symbol that is missing is an error
    command = [*compiler, "-O2", "-shared", "-fPIC", *complete, "-o", str(library), *map(str, parts), "-lm"]
    subprocess.run(command, check=True, capture_output=True)


def compile_for(level: int, folder: Path) -> None:
    """Write the objects of all functions for a level, and what `native_kernels` needs to know of them."""
    from llvmlite import binding as llvm

    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(cpu=PROCESSORS[level], opt=3, reloc="pic", codemodel="default")
    functions: dict[str, list[Any]] = {}
    for kernel in _kernels():
        for number, signature in enumerate(kernel.signatures):
            compiled = kernel.compile([f"({signature},)"], **OPTIONS)
            ((arguments, result),) = compiled.overloads.items()
            symbol = f"{kernel.key}.{number}.{level}"
            module = llvm.parse_assembly(compiled.inspect_llvm(arguments))
            _export(module, result.fndesc.llvm_func_name, symbol)
            (folder / f"{symbol}.o").write_bytes(machine.emit_object(module))
            types = [*map(_describe, arguments)], _describe(result.signature.return_type)
            functions.setdefault(kernel.key, []).append([symbol, *types])
    (folder / f"{level}.json").write_text(json.dumps(functions), "utf-8")


def _kernels() -> list[Any]:
    """Return the kernels with signatures; a module may import those of another."""
    modules = [importlib.import_module(f"{PACKAGE}.{name}") for name in SOURCES]
    values = [value for module in modules for value in vars(module).values()]
    return [*{value.key: value for value in values if getattr(value, "signatures", ())}.values()]


def _export(module: Any, name: str, symbol: str) -> None:
    """Give a function this symbol, and hide all others, which are in other objects too."""
    for defined in [*module.functions, *module.global_variables]:
        if defined.name == name:
            defined.name, defined.linkage = symbol, "external"
        elif not defined.is_declaration:
            defined.linkage = "internal"


def _describe(type_: Any) -> Any:
    """Return a type of numba as `native_kernels` has it."""
    from numba import types
    from numba.np.numpy_support import as_dtype

    if isinstance(type_, types.Array):
        return [as_dtype(type_.dtype).str, type_.ndim]
    if isinstance(type_, types.BaseTuple):
        return {"parts": [*map(_describe, type_)]}
    return None if type_ == types.none else as_dtype(type_).str


def main(arguments: list[str]) -> None:
    if arguments:
        level, folder = arguments
        compile_for(int(level), Path(folder))
    else:
        build()


if __name__ == "__main__":
    main(sys.argv[1:])
