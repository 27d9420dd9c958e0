"""Lets PyPI's CUDA build of torch import on a machine without CUDA.

torch links to CUDA libraries that only a GPU machine has. This writes an empty library for each of them, with the
symbols (and symbol versions) that torch's own libraries ask for; on a CPU none of them is ever called.

usage: torch_cpu_stub.py SITE_PACKAGES
"""

import collections
import pathlib
import re
import subprocess
import sys
import tempfile

CUDA_LIBRARY = re.compile(r"lib(cu|nv|nccl)")
CUDA_SYMBOL = re.compile(r"(cu|nccl|nvrtc|nvshmem|nvJit|nvtx|__cuda)")
# The one library whose symbol version is not its file name.
VERSION_NODES = {"NVSHMEM": "libnvshmem_host.so.3"}


def output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def needed_libraries(libraries: list[pathlib.Path]) -> set[str]:
    found = set()
    for library in libraries:
        names = re.findall(r"NEEDED.*\[([^\]]+)\]", output("readelf", "-d", str(library)))
        found |= {name for name in names if CUDA_LIBRARY.match(name)}
    return found


def wanted_symbols(libraries: list[pathlib.Path]) -> tuple[dict[str, set[str]], set[str]]:
    """Undefined CUDA symbols: by the library that versions them, and those without a version."""
    versioned, plain, defined = collections.defaultdict(set), set(), set()
    for library in libraries:
        for line in output("nm", "-D", str(library)).splitlines():
            kind, symbol = line.split()[-2:]
            name, _, version = symbol.replace("@@", "@").partition("@")
            if kind not in ("U", "w", "v"):
                defined.add(name)
            elif version and (CUDA_LIBRARY.match(version) or version in VERSION_NODES):
                versioned[VERSION_NODES.get(version, version)].add(name)
            elif not version and kind == "U" and CUDA_SYMBOL.match(name):
                plain.add(name)
    return versioned, plain - defined


def write_stub(target: pathlib.Path, symbols: set[str], version_node: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "stub.c")
        source.write_text("\n".join(f"int {name}(void) {{ return 999; }}" for name in sorted(symbols)))
        command = ["gcc", "-w", "-shared", "-fPIC", "-o", str(target), f"-Wl,-soname,{target.name}", str(source)]
        if version_node:
            script = pathlib.Path(folder, "versions")
            script.write_text(f"{version_node} {{ global: *; }};")
            command.append(f"-Wl,--version-script={script}")
        subprocess.run(command, check=True)


def main(site_packages: str) -> None:
    folder = pathlib.Path(site_packages, "torch", "lib")
    libraries = sorted(folder.glob("*.so"))
    versioned, plain = wanted_symbols(libraries)
    nodes = {library: node for node, library in VERSION_NODES.items()}
    for name in sorted(needed_libraries(libraries)):
        if (folder / name).exists():
            continue
        if name in versioned:
            write_stub(folder / name, versioned[name], nodes.get(name, name))
        else:  # nothing says whose the symbols without a version are, and not all of these libraries are always loaded
            write_stub(folder / name, plain, None)


if __name__ == "__main__":
    main(sys.argv[1])
